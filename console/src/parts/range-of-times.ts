/**
 * The ends of an axis of time, in seconds: at least a minute, so that the first samples do not stretch. Also of one sample, of
 * which uPlot would make a day, and of none.
 * @param times in ascending order, in seconds
 */
export function rangeOfTimes(times: ArrayLike<number>, nowMs: number): [number, number] {
  const end = times[times.length - 1] ?? nowMs / 1000;
  return [Math.min(times[0] ?? end, end - 60), end];
}
