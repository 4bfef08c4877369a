/** How the cluster's subjects and keys are named at NATS servers. */

const WORD_CHARACTERS = /[^A-Za-z0-9_-]/gu;
const ESCAPED_OCTET = /=([0-9A-F]{2})/g;

/** Any text as one word of a subject, or as a key of a table: other characters become `=XX` for each octet. */
export function wordOf(text: string): string {
  return text.replace(WORD_CHARACTERS, (character) =>
    [...Buffer.from(character)].map((octet) => `=${octet.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

/** @returns undefined for a word that is not the one of its text: another name of the same key would stand beside it */
export function textOf(word: string): string | undefined {
  const octets = word.replace(ESCAPED_OCTET, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const text = Buffer.from(octets, 'latin1').toString();
  return wordOf(text) === word ? text : undefined;
}

/** Subjects of one kind: `etherws.CLUSTER.KIND.WORD.WORD`. */
export class SubjectSpace {
  readonly #prefix: string;

  constructor(cluster: string, kind: 'message' | 'request') {
    this.#prefix = `etherws.${wordOf(cluster)}.${kind}.`;
  }

  /** @param pattern `*` is any one word */
  toNats(pattern: string): string {
    const words = pattern.split('.').map((word) => (word === '*' ? word : wordOf(word)));
    return this.#prefix + words.join('.');
  }

  /** @returns undefined for a subject that no node makes */
  fromNats(subject: string): string | undefined {
    const words = subject.slice(this.#prefix.length).split('.').map(textOf);
    return words.includes(undefined) ? undefined : words.join('.');
  }
}

export function bucketOf(cluster: string, table: string): string {
  return `etherws_${cluster}_${table}`;
}
