import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RecordingTerminal } from '../../test/support/recording-terminal.ts';
import { Command } from './commander.ts';
import { ctlCommand } from './ctl.ts';
import { writeOutOptions } from './option-prefixes.ts';
import { swCommand } from './sw.ts';
import type { UsageError } from './usage-error.ts';

const program = new Command('etherws')
  .option('-V, --version')
  .addCommand(swCommand())
  .addCommand(await ctlCommand(new RecordingTerminal({}, []), []));

function writtenOut(line: string): string {
  return writeOutOptions(program, line.split(' ')).join(' ');
}

describe('prefixes of options', () => {
  for (const [line, expected] of [
    ['--vers', '--version'],
    ['sw --fore --fdb 9', 'sw --foreground --fdb-size 9'],
    ['ctl setif 1 --addr 10.0.0.1 --net=255.0.0.0', 'ctl setif 1 --address 10.0.0.1 --netmask=255.0.0.0'],
    ['ctl --ctlur http://a/ctl listport --js', 'ctl --ctlurl http://a/ctl listport --json'],
    [
      'ctl addport client ws://a/ --no-rec --bind-a ::1',
      'ctl addport client ws://a/ --no-reconnect --bind-address ::1',
    ],
    ['ctl setport 1 --hel', 'ctl setport 1 --help'],
  ] as const) {
    it(`${line}`, () => assert.equal(writtenOut(line), expected));
  }

  it('mean the option of 1.x where newer ones have the same prefix', () => {
    assert.equal(writtenOut('sw --po 1 --a 300 --ctlpa /c'), 'sw --port 1 --ageout 300 --ctlpath /c');
    assert.equal(
      writtenOut('ctl --ctlp x addport client ws://a/ --pass y --c z --u me'),
      'ctl --ctlpasswd x addport client ws://a/ --passwd y --cacerts z --user me',
    );
  });

  it('that fit several are an error that lists them', () => {
    for (const [line, prefix, candidates] of [
      ['sw --ssl x', '--ssl', /--sslkey, --sslcert$/],
      ['ctl addport client ws://a/ --reconnect- 1', '--reconnect-', /--reconnect-min, --reconnect-max$/],
      ['ctl setif 1 --m 1400 --ctl x', '--ctl', /--ctlurl, --ctluser, /],
    ] as const) {
      assert.throws(
        () => writtenOut(line),
        ({ name, message, hint }: UsageError) => {
          assert.deepEqual([name, message], ['UsageError', `option '${prefix}' is ambiguous`]);
          assert.match(hint ?? '', candidates);
          return true;
        },
        line,
      );
    }
  });

  it('are left alone in values, behind --, and where no option has them', () => {
    for (const line of [
      'ctl addport client ws://a/ --header --addr',
      'ctl addport client ws://a/ --servername --pass',
      'ctl setif 1 -- --addr',
      'ctl listport --nosuch --=x --',
      'sw --port --por',
      'ctl delport -1',
    ]) {
      assert.equal(writtenOut(line), line);
    }
    assert.equal(writtenOut('ctl listport --jso -- --jso'), 'ctl listport --json -- --jso');
  });
});
