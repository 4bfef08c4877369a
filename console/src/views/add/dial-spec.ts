import type { PortSpec } from '../../../../src/schema/port-spec.ts';

export interface DialForm {
  readonly url: string;
  readonly name: string;
  readonly network: string;
  readonly credential: 'none' | 'password' | 'token';
  readonly user: string;
  readonly secret: string;
  readonly pin: string;
}

/** The parameters of `addPort`. The port is there at once, and dials in the background. */
export function dialSpec({ url, name, network, credential, user, secret, pin }: DialForm): PortSpec {
  const options = {
    wait: false,
    ...(credential === 'password' ? { user: user.trim(), passwd: secret } : {}),
    ...(credential === 'token' ? { token: secret.trim() } : {}),
    ...(pin.trim() === '' ? {} : { pin: pin.trim() }),
  };
  const labels = name.trim() === '' ? {} : { name: name.trim() };
  return { type: 'client', target: url.trim(), network, ...labels, options } as PortSpec;
}
