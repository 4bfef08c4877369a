/** A file format other than PEM, and how to convert it. */
export interface ForeignFormat {
  /** for a message such as `FILE is NAME, and PEM is wanted` */
  readonly name: string;
  /** the command that converts it to PEM, for a key or for certificates */
  readonly hint: string;
}

/** What the file is expected to contain. */
export type PemContent = 'key' | 'certificate';

/** The object identifier of PKCS#7 signedData in DER: 1.2.840.113549.1.7.2. */
const SIGNED_DATA = Buffer.from('06092a864886f70d010702', 'hex');
const JAVA_KEY_STORE = 0xfe_ed_fe_ed;

/**
 * Recognizes other formats of keys and certificates: PKCS#12, PKCS#7, DER, OpenSSH, Java key stores, and PEM that an
 * editor saved as UTF-16.
 * @param path the file's path, for the hint
 * @returns undefined for PEM, and for unknown formats
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

/** Recognizes DER (X.690, 8): the whole file is one sequence; its first elements tell the format. */
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
  // A key begins with its version; an encrypted key with a sequence that begins with the algorithm's identifier; a
  // certificate with another sequence.
  if (startsWith(content, 0x02, 0x01) || startsWith(sequenceContent(content, true) ?? content, 0x06)) {
    return named('a key in DER', `openssl pkey -inform DER -in ${path} -out NEW.pem`);
  }
  if (content[0] === 0x30) return named('a certificate in DER', `openssl x509 -inform DER -in ${path} -out NEW.pem`);
  return undefined;
}

function named(name: string, command: string, remark = ''): ForeignFormat {
  return { name, hint: `Convert it with: ${command}${remark === '' ? '' : ` (${remark})`}` };
}

/** The contents of the sequence at the start. @param isFirst whether octets may follow the sequence */
function sequenceContent(octets: Buffer, isFirst = false): Buffer | undefined {
  if (octets.length < 2 || octets[0] !== 0x30) return undefined;
  const short = octets[1] ?? 0;
  // 0x80: the indefinite length of BER, which some tools write in PKCS#12.
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
