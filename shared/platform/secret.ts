import { inspect } from 'node:util';

const HIDDEN = '[secret]';

/**
 * A value that can't be printed by accident: string conversion, JSON and inspection show a placeholder.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Call this only where the value is sent to the service it belongs to. */
  expose(): string {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}
