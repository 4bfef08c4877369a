/** Of longer words only the beginning is compared, since the time grows with the square of the length. */
const MOST_CHARACTERS = 64;

/**
 * The word that was probably meant: the one of `known` with the smallest edit distance to `word`, if that is at most a
 * third of the length of that word, and at least 1 is allowed.
 */
export function closestWord(word: string, known: Iterable<string>): string | undefined {
  let closest: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const most = Math.max(1, Math.floor(candidate.length / 3));
    if (Math.abs(candidate.length - word.length) > most) continue;
    const distance = editDistance(word.slice(0, MOST_CHARACTERS), candidate.slice(0, MOST_CHARACTERS));
    if (distance <= most && distance < least) [closest, least] = [candidate, distance];
  }
  return closest;
}

/** The edit distance: characters to insert, delete, replace, or swap with a neighbour (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let twoUp: number[] = [];
  let up = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let row = 1; row <= a.length; row++) {
    const line = [row];
    for (let at = 1; at <= b.length; at++) {
      const isSame = a[row - 1] === b[at - 1];
      let least = Math.min((up[at] ?? 0) + 1, (line[at - 1] ?? 0) + 1, (up[at - 1] ?? 0) + (isSame ? 0 : 1));
      const isSwapped = row > 1 && at > 1 && a[row - 1] === b[at - 2] && a[row - 2] === b[at - 1];
      if (isSwapped) least = Math.min(least, (twoUp[at - 2] ?? 0) + 1);
      line.push(least);
    }
    [twoUp, up] = [up, line];
  }
  return up[b.length] ?? 0;
}
