/** A file format that is not PEM, where PEM is wanted, and how to make PEM of it. */
export interface ForeignFormat {
  /** as in `FILE is NAME, not PEM` */
  readonly name: string;
  /** the command that makes PEM of it, for a key or for certificates */
  readonly hint: string;
}

/** What is wanted of the file. */
export type PemContent = 'key' | 'certificate';

/** The octets of DER that tell the formats apart stand within so many of its beginning. */
const SIGNED_DATA = Buffer.from('06092a864886f70d010702', 'hex');
const JAVA_KEY_STORE = 0xfe_ed_fe_ed;

/**
 * Recognizes what keys and certificates come in besides PEM: PKCS#12, PKCS#7, DER, OpenSSH, Java key stores, PEM that an
 * editor saved as UTF-16.
 * @param path for the commands of the hint
 * @returns undefined for PEM, and for what is none of these
 */
export function foreignFormat(path: string, octets: Buffer, wanted: PemContent): ForeignFormat | undefined {
  if (octets.length >= 4 && octets.readUInt32BE(0) === JAVA_KEY_STORE) {
    return named(
      'a Java key store',
      `keytool -importkeystore -srckeystore ${path} -destkeystore NEW.p12`,
      'and convert that, which is PKCS#12, with openssl pkcs12',
    );
  }
  if (/^(\xff\xfe|\xfe\xff)/.test(octets.subarray(0, 2).toString('latin1'))) {
    return named('a text in UTF-16', `iconv -f UTF-16 -t UTF-8 ${path} -o NEW.pem`);
  }
  const text = octets.toString('latin1');
  if (text.includes('-----BEGIN OPENSSH PRIVATE KEY-----')) {
    return named(
      'a key of OpenSSH',
      `ssh-keygen -p -m PKCS8 -f ${path}`,
      'which converts the file itself: give it a copy',
    );
  }
  if (/-----BEGIN (PKCS7|CMS)-----/.test(text))
    return named('PKCS#7', `openssl pkcs7 -in ${path} -print_certs -out NEW.pem`);
  return text.includes('-----BEGIN ') ? undefined : derFormat(path, octets, wanted);
}

/** DER (X.690, 8): a sequence whose length is that of the file, and what stands in it. */
function derFormat(path: string, octets: Buffer, wanted: PemContent): ForeignFormat | undefined {
  const content = sequenceContent(octets);
  if (content === undefined) return undefined;
  if (startsWith(content, 0x02, 0x01, 0x03)) {
    const what = wanted === 'key' ? '-nocerts -nodes' : '-nokeys';
    return named('PKCS#12', `openssl pkcs12 -in ${path} ${what} -out NEW.pem`, 'and add -legacy for old files');
  }
  if (content.subarray(0, SIGNED_DATA.length).equals(SIGNED_DATA)) {
    return named('PKCS#7 in DER', `openssl pkcs7 -inform DER -in ${path} -print_certs -out NEW.pem`);
  }
  // A key begins with its version, or, encrypted, with an algorithm; a certificate with a sequence that has much in it.
  if (startsWith(content, 0x02, 0x01) || startsWith(sequenceContent(content, true) ?? content, 0x06)) {
    return named('a key in DER', `openssl pkey -inform DER -in ${path} -out NEW.pem`);
  }
  if (content[0] === 0x30) return named('a certificate in DER', `openssl x509 -inform DER -in ${path} -out NEW.pem`);
  return undefined;
}

function named(name: string, command: string, remark = ''): ForeignFormat {
  return { name, hint: `Convert it with: ${command}${remark === '' ? '' : ` (${remark})`}` };
}

/** @param isFirst whether more may follow the sequence */
function sequenceContent(octets: Buffer, isFirst = false): Buffer | undefined {
  if (octets.length < 2 || octets[0] !== 0x30) return undefined;
  const short = octets[1] ?? 0;
  // 0x80: of no definite length, as BER has it and some exports of PKCS#12 do.
  if (short === 0x80) return octets.subarray(2);
  const lengthBytes = short < 0x80 ? 0 : short & 0x7f;
  if (lengthBytes > 4 || octets.length < 2 + lengthBytes) return undefined;
  const length = lengthBytes === 0 ? short : octets.readUIntBE(2, lengthBytes);
  const content = octets.subarray(2 + lengthBytes);
  return length === content.length || (isFirst && length < content.length) ? content.subarray(0, length) : undefined;
}

function startsWith(octets: Buffer, ...start: readonly number[]): boolean {
  return start.every((octet, index) => octets[index] === octet);
}
