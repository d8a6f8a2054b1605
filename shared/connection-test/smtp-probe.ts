import type { Encryption, LineSocket } from '../mailboxes/line-socket.ts';
import type { Secret } from '../platform/secret.ts';
import { StepRefused } from './test-runner.ts';

const MAX_LINES = 200;

/** A minimal SMTP client up to authentication (RFC 5321, 3207, 4954) that shows each line. */
export class SmtpProbe {
  readonly #wire: LineSocket;

  constructor(wire: LineSocket) {
    this.#wire = wire;
  }

  /**
   * Greeting, EHLO and STARTTLS, then TLS. A server without STARTTLS is rejected: nothing is sent
   * unencrypted.
   */
  async startTls(): Promise<Encryption> {
    await this.#reply();
    const offers = await this.#ask('EHLO postroom.invalid');
    if (!offers.some((line) => /^STARTTLS\b/i.test(line))) throw new StepRefused('tls-wrong-port');
    await this.#ask('STARTTLS');
    return this.#wire.encrypt();
  }

  /** The greeting after implicit TLS. */
  async greeting(): Promise<void> {
    await this.#reply();
  }

  async signIn(user: string, token: Secret): Promise<void> {
    const offers = await this.#ask('EHLO postroom.invalid');
    if (!offers.some((line) => /^AUTH\b.*\bXOAUTH2\b/i.test(line)))
      throw new StepRefused('504 5.7.4 The server offers no sign-in with OAuth (AUTH XOAUTH2)');
    const sasl = Buffer.from(`user=${user}\x01auth=Bearer ${token.expose()}\x01\x01`).toString('base64');
    this.#wire.say(`AUTH XOAUTH2 ${sasl}`, 'AUTH XOAUTH2 (sign-in)');
    const { code } = await this.#answer();
    // A server that first explains a refusal expects an empty line before 535.
    if (code === 334) await this.#ask('');
  }

  async goodbye(): Promise<void> {
    await this.#ask('QUIT');
  }

  async #ask(command: string): Promise<string[]> {
    this.#wire.say(command);
    return this.#reply();
  }

  /** The lines of a response without their codes. */
  async #reply(): Promise<string[]> {
    const { lines } = await this.#answer();
    return lines;
  }

  async #answer(): Promise<{ code: number; lines: string[] }> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.#wire.line();
      const [, digits, sign, text] = /^(\d{3})([ -]?)(.*)$/.exec(line) ?? [];
      if (digits === undefined) throw new StepRefused(line);
      lines.push(text ?? '');
      if (lines.length > MAX_LINES) throw new StepRefused(`More than ${MAX_LINES} lines in one response`);
      if (sign === '-') continue;
      const code = Number(digits);
      if (code >= 400) throw new StepRefused(line);
      return { code, lines };
    }
  }
}
