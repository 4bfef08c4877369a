import { FilterParser } from './filter-parser.ts';
import { FrameView, type Test } from './frame-view.ts';

/** Whether a filter matches a frame. @param length of the frame at `bytes[start]`, in octets */
export type FrameFilter = (bytes: Uint8Array, start: number, length: number) => boolean;

/**
 * Compiles a filter in the language of docs/operate/captures.md.
 * @throws FilterError with the column of a syntax error
 */
export function compileFilter(filter: string): FrameFilter {
  const test: Test = filter.trim() === '' ? () => true : new FilterParser(filter).parse();
  const view = new FrameView();
  return (bytes, start, length) => {
    view.show(bytes, start, length);
    return test(view) && !view.isCut;
  };
}
