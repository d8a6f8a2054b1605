import { once } from 'node:events';
import { connect } from 'node:tls';
import { LineReader, writeAll } from '../emulators/mail/line-reader.ts';
import type { Endpoint } from '../emulators/mail/mail-world.ts';

/**
 * Reads all email in an inbox verbatim, over POP3, oldest first. Changes nothing.
 * @param ca PEM of the authority that the server's certificate is from
 * @throws Error with the server's response when it refuses
 */
export async function readInbox(
  server: Endpoint,
  ca: string,
  login: { address: string; accessToken: string },
): Promise<string[]> {
  const socket = connect({ host: server.host, port: server.port, ca });
  try {
    await once(socket, 'secureConnect');
    const reader = new LineReader(socket);
    const line = async (): Promise<string> => (await reader.line())?.toString('latin1') ?? '-ERR gone';
    const ask = async (command: string): Promise<string> => {
      if (command !== '') await writeAll(socket, `${command}\r\n`);
      const answer = await line();
      if (!answer.startsWith('+OK')) throw new Error(`The mail server said: ${answer}`);
      return answer;
    };
    const list = async (command: string): Promise<string[]> => {
      await ask(command);
      const lines: string[] = [];
      for (let next = await line(); next !== '.' && next !== '-ERR gone'; next = await line())
        lines.push(next);
      return lines;
    };
    await ask('');
    const { address, accessToken } = login;
    const sasl = `user=${address}\u0001auth=Bearer ${accessToken}\u0001\u0001`;
    await ask(`AUTH XOAUTH2 ${Buffer.from(sasl).toString('base64')}`);
    const mails: string[] = [];
    for (const numbered of await list('LIST')) {
      const lines = await list(`RETR ${numbered.split(' ')[0] ?? ''}`);
      // A dot at the start of a line is doubled (RFC 1939 section 3).
      mails.push(lines.map((one) => one.replace(/^\.\./, '.')).join('\r\n'));
    }
    await ask('QUIT');
    return mails;
  } finally {
    socket.destroy();
  }
}

/** Unfolded (RFC 5322 section 2.2.3), its encoded words in UTF-8 decoded (RFC 2047). Pure. */
export function subjectHeader(mail: string): string {
  const unfolded = mail.replaceAll(/\r\n[ \t]+/g, ' ').replaceAll('\r', '');
  const subject = /^Subject: (.*)$/im.exec(unfolded)?.[1] ?? '';
  return subject.replaceAll(/\?=\s+=\?/g, '?==?').replaceAll(/(?:=\?utf-8\?q\?[^?]*\?=)+/gi, (words) => {
    const text = words.replaceAll(/=\?utf-8\?q\?|\?=/gi, '').replaceAll('_', ' ');
    return decodeURIComponent(text.replaceAll('%', '=25').replaceAll('=', '%'));
  });
}
