import type { Dissector } from './dissection.ts';
import { hexNumber, named } from './layer.ts';

const REQUEST = 1;
const REPLY = 2;

/** ARP of IPv4 on Ethernet (RFC 826), and RARP (RFC 903); of other protocols only the opcode. */
export function dissectArp(protocolName: string): Dissector {
  return (dissection, at, end) => {
    const layer = dissection.layer(protocolName, at, end);
    const hardware = layer.number('Hardware type', 2, named({ 1: 'Ethernet' }));
    const protocol = layer.number('Protocol type', 2, (value) => hexNumber(value, 4));
    const sizes = layer.number('Hardware size', 1) * 256 + layer.number('Protocol size', 1);
    const opcode = layer.number(
      'Opcode',
      2,
      named({ 1: 'request', 2: 'reply', 3: 'reverse request', 4: 'reverse reply' }),
    );
    if (hardware !== 1 || protocol !== 0x0800 || sizes !== 0x0604) {
      dissection.say({ info: `opcode ${opcode}` });
      dissection.pass(undefined, layer.at, end);
      return;
    }
    const senderMac = layer.mac('Sender MAC');
    const sender = layer.ipv4('Sender IP');
    layer.mac('Target MAC');
    const target = layer.ipv4('Target IP');
    dissection.say({ info: sentence(opcode, sender, senderMac, target) });
  };
}

function sentence(opcode: number, sender: string, senderMac: string, target: string): string {
  if (opcode === REPLY) return `${sender} is at ${senderMac}`;
  if (opcode !== REQUEST) return `opcode ${opcode}`;
  if (sender === target) return `announcement of ${sender}`;
  // RFC 5227, 1.1: a probe has no sender address.
  return sender === '0.0.0.0' ? `probe for ${target}` : `who has ${target}? tell ${sender}`;
}
