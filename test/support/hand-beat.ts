import { Heartbeat } from '../../src/ports/stream/heartbeat.ts';

/** A heartbeat with a clock that the test drives. */
export class HandBeat extends Heartbeat {
  #clock: { ms: number };

  constructor() {
    const clock = { ms: 0 };
    super(1000, () => clock.ms);
    this.#clock = clock;
  }

  pass(seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      this.#clock.ms += 1000;
      this.tick();
    }
  }
}
