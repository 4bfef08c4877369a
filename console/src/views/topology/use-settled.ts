import { useEffect, useRef, useState } from 'preact/hooks';

/** Tables change one after the other, and each of them would make the picture anew. */
const PAUSE_MS = 300;

/**
 * The values, as of at most one change within 300 ms: the first change counts at once, those behind it together.
 * @param values compared one by one
 */
export function useSettled(values: readonly unknown[]): readonly unknown[] {
  const [settled, setSettled] = useState(values);
  const latest = useRef(values);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const since = useRef(0);
  latest.current = values;
  const isSame = values.every((value, at) => value === settled[at]);
  useEffect(() => {
    if (isSame || timer.current !== undefined) return;
    const wait = Math.max(0, since.current + PAUSE_MS - performance.now());
    timer.current = setTimeout(() => {
      timer.current = undefined;
      since.current = performance.now();
      setSettled(latest.current);
    }, wait);
  });
  useEffect(() => () => clearTimeout(timer.current), []);
  return settled;
}
