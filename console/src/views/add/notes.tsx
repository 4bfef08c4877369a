import type { JSX } from 'preact';
import { DEFAULT_NETWORK, FILES, type Invitation } from './invitation.ts';

/** What has to be there before the command works: the switch holds no secrets that it could show. */
export function CredentialNote({ credential, network }: Pick<Invitation, 'credential' | 'network'>): JSX.Element {
  switch (credential) {
    case 'password':
      return (
        <p class="add-note">
          The user must be in the file that <code>--htpasswd</code> of this switch names:{' '}
          <code>etherws passwd FILE USER</code> adds it, and the switch takes it at once. The command asks for the
          password; the configuration file reads it from <code>{FILES.password}</code>.
        </p>
      );
    case 'token':
      return (
        <p class="add-note">
          This switch holds the keys that verify tokens, and cannot make one. Ask their issuer for a token with the
          audience that <code>--tokenaudience</code> names
          {network !== DEFAULT_NETWORK && (
            <>
              {' '}
              and the claim <code>net</code> <code>{network}</code>, if the issuer limits networks
            </>
          )}
          , and write it to <code>{FILES.token}</code> on the other host, readable by its owner only.
        </p>
      );
    case 'certificate':
      return (
        <p class="add-note">
          The other host needs a certificate of an authority that <code>--client-ca</code> of this switch names, as{' '}
          <code>{FILES.cert}</code>, and its key as <code>{FILES.key}</code>.
        </p>
      );
    default:
      return <p class="add-note">This switch takes tunnels without credentials.</p>;
  }
}

export function TrustNote({ trust }: Pick<Invitation, 'trust'>): JSX.Element | null {
  switch (trust) {
    case 'pin':
      return (
        <p class="add-note">
          The pin holds as long as this switch has its key. Where a proxy speaks TLS in front of it, choose an
          authority.
        </p>
      );
    case 'file':
      return (
        <p class="add-note">
          Copy the certificate of the authority to <code>{FILES.authority}</code> on the other host.
        </p>
      );
    case 'none':
      return (
        <p class="add-note">
          Without TLS all frames can be read on the way. <code>--sslkey</code> and <code>--sslcert</code> of this switch
          turn it on.
        </p>
      );
    default:
      return null;
  }
}
