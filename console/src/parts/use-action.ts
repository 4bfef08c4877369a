import { type Signal, useSignal } from '@preact/signals';
import { call } from '../live/live.ts';
import { failureText } from './failure.ts';

/** A call of the control API by a button: while it is under way the button is disabled, and a refusal is shown. */
export interface Action {
  readonly failure: Signal<string | null>;
  readonly isBusy: Signal<boolean>;
  /** @returns the entries; undefined: the call has failed, and `failure` says why */
  run<E>(method: string, params: object): Promise<E[] | undefined>;
}

export function useAction(): Action {
  const failure = useSignal<string | null>(null);
  const isBusy = useSignal(false);
  return {
    failure,
    isBusy,
    async run<E>(method: string, params: object): Promise<E[] | undefined> {
      isBusy.value = true;
      failure.value = null;
      try {
        return await call<E>(method, params);
      } catch (error) {
        failure.value = failureText(error);
        return undefined;
      } finally {
        isBusy.value = false;
      }
    },
  };
}
