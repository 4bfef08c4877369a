import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { EtherwsError } from '../errors.ts';
import { parseMacAddress } from '../wire/ethernet/mac-address.ts';
import { NO_TUNNEL_RULES, readPolicy } from './policy-file.ts';

const EXAMPLE = `
default:
  tunnels: {allowed: false}
  control: {methods: none}
groups:
  students:
    members: [ada, bob]
    tunnels: &student
      max-ports: 2
      networks: [lab, home]
      settings: {isolated: true, mac-limit: 4}
      claim-first: 3
      ethertypes: [ipv4, arp, ipv6, 0x88b5, "802.3"]
      rate: {frames: 1k, bits: 2.5M, burst: 200}
      broadcast-rate: {frames: 10}
      dhcp-server: false
      router-advertisements: false
  admins:
    members: [carol, bob]
    control: {methods: all}
users:
  ada:
    control:
      methods: [listPort, listFdb]
  dave:
    tunnels:
      source-macs: ["02:00:00:00:00:01", 02-00-00-00-00-02]
  erin: {tunnels: *student}
`;

describe('a policy', () => {
  const policy = readPolicy('policy.yaml', EXAMPLE);

  test('a user’s own section goes before that of the group, and that before the default', () => {
    assert.equal(policy.tunnelsOf('nobody').isAllowed, false);
    assert.equal(policy.tunnelsOf(null).isAllowed, false);
    assert.equal(policy.mayCall('nobody', 'listPort'), false);
    assert.deepEqual(policy.tunnelsOf('ada'), policy.tunnelsOf('bob'));
    assert.deepEqual([policy.mayCall('ada', 'listPort'), policy.mayCall('ada', 'addPort')], [true, false]);
    assert.equal(policy.mayCall('bob', 'addPort'), true, 'the first group that says something about it');
    assert.deepEqual(policy.tunnelsOf('erin'), policy.tunnelsOf('ada'));
  });

  test('a user that may begin an observation may end it', () => {
    const rules = readPolicy('policy.yaml', 'default: {control: {methods: [observe]}}\n');
    assert.deepEqual(
      ['observe', 'unobserve', 'endCapture'].map((method) => rules.mayCall('ann', method)),
      [true, true, false],
    );
  });

  test('captures are allowed by their name only', () => {
    const rules = readPolicy(
      'policy.yaml',
      'users:\n  ann: {control: {methods: all}}\n  bob: {control: {methods: [all, capture]}}\n  eve: {control: {methods: [capture]}}\n',
    );
    const may = (user: string): boolean[] =>
      ['listPort', 'capture', 'endCapture'].map((method) => rules.mayCall(user, method));
    assert.deepEqual(
      [may('ann'), may('bob'), may('eve')],
      [
        [true, false, false],
        [true, true, true],
        [false, true, true],
      ],
    );
    assert.deepEqual(may('zoe'), [true, false, false], 'also where nothing is said');
  });

  test('every rule', () => {
    assert.deepEqual(policy.tunnelsOf('ada'), {
      isAllowed: true,
      maxPorts: 2,
      networks: ['lab', 'home'],
      settings: { isolated: true, macLimit: 4 },
      ingress: {
        claims: 3,
        etherTypes: new Set([0x0800, 0x0806, 0x86dd, 0x88b5, 0]),
        frames: { perSecond: 1000, burst: 200 },
        bits: { perSecond: 2_500_000, burst: 500_000 },
        groupFrames: { perSecond: 10, burst: 1 },
        forbidsDhcpServer: true,
        forbidsRouterAdvertisements: true,
      },
    });
    const sources = new Set(['02:00:00:00:00:01', '02:00:00:00:00:02'].map(parseMacAddress));
    assert.deepEqual(policy.tunnelsOf('dave').ingress, { sources });
  });

  test('what it does not mention is as in 1.x', () => {
    for (const text of ['', '# nothing\n', 'users: {ada: {tunnels: {allowed: false}}}']) {
      const open = readPolicy('policy.yaml', text);
      assert.deepEqual(open.tunnelsOf('bob'), NO_TUNNEL_RULES);
      assert.deepEqual(open.tunnelsOf(null), NO_TUNNEL_RULES);
      assert.equal(open.mayCall('bob', 'delPort'), true);
    }
  });
});

describe('faults are told by file and line', () => {
  const cases: [string, string, number, RegExp][] = [
    ['no YAML', 'users:\n  ada: [\n', 3, /./],
    ['a key twice', 'users: {}\nusers: {}\n', 2, /unique/i],
    ['no mapping', '- ada\n', 1, /must be a mapping/],
    ['an unknown section', 'default: {}\nuser: {}\n', 2, /user is not known here.*users, groups, default/],
    [
      'an unknown rule',
      'users:\n  ada:\n    tunnels:\n      maxports: 3\n',
      4,
      /users\.ada\.tunnels\.maxports is not known/,
    ],
    ['a rule of no value', 'users:\n  ada:\n    tunnels:\n      max-ports:\n', 4, /max-ports must be a whole number/],
    ['a flag that is a text', 'default:\n  tunnels:\n    allowed: maybe\n', 3, /must be true or false/],
    ['no network', 'default:\n  tunnels:\n    networks: [a/b]\n', 3, /must be the name of a network, got "a\/b"/],
    ['no number', 'default:\n  tunnels:\n    claim-first: 0\n', 3, /from 1 to/],
    [
      'no MAC',
      'default:\n  tunnels:\n    source-macs:\n      - 02:00:00:00:00:01\n      - router\n',
      5,
      /source-macs\[1\].*"router"/,
    ],
    ['a group MAC', 'default:\n  tunnels:\n    source-macs: ["ff:ff:ff:ff:ff:ff"]\n', 3, /of a station/],
    ['no EtherType', 'default:\n  tunnels:\n    ethertypes: [ipx]\n', 3, /EtherType/],
    ['no rate', 'default:\n  tunnels:\n    rate: {bits: fast}\n', 3, /10k, 2\.5M/],
    ['an empty rate', 'default:\n  tunnels:\n    rate: {burst: 100}\n', 3, /needs frames or bits/],
    ['a group without members', 'groups:\n  admins:\n    control: {methods: all}\n', 2, /admins needs members/],
    ['no method', 'default:\n  control:\n    methods: [listPort, reboot]\n', 3, /reboot|is no method/],
    ['no list of methods', 'default:\n  control:\n    methods: some\n', 3, /a list, all, or none/],
    ['an anchor that is not there', 'users:\n  ada: *nobody\n', 2, /nobody|ada/],
  ];
  for (const [name, text, line, words] of cases) {
    test(name, () => {
      assert.throws(
        () => readPolicy('/etc/policy.yaml', text),
        (error: unknown) => {
          assert.ok(error instanceof EtherwsError, String(error));
          assert.equal(error.code, 'POLICY_INVALID');
          assert.match(error.message, new RegExp(`^/etc/policy\\.yaml:${line}:\\d+: `));
          assert.match(error.message, words);
          return true;
        },
      );
    });
  }

  test('whatever stands in it, the answer is a policy or an EtherwsError', () => {
    const words =
      'users groups default tunnels control methods allowed rate frames 1 true ada [ ] { } : - * & | > # " \' , ~ \n'.split(
        ' ',
      );
    const text = fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom(...words), { maxLength: 30 }).map((parts) => parts.join(' ')),
      fc.json().map((json) => `users: ${json}`),
      fc.json().map((json) => `default: {tunnels: ${json}}`),
    );
    fc.assert(
      fc.property(text, (content) => {
        try {
          readPolicy('p', content).tunnelsOf('ada');
        } catch (error) {
          assert.ok(error instanceof EtherwsError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
