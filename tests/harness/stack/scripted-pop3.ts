import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { connectSocket, type LineSocket } from '../../../shared/mailboxes/line-socket.ts';

/** The response to a command; undefined: the usual one, null: the connection ends, `half`: after this text. */
export type Answer = (args: string) => string | { half: string } | null | undefined;

/** A POP3 server on a real socket, without TLS, that answers some commands as a test wants. */
export async function scriptedServer(
  initial: readonly string[],
  unusual: Readonly<Record<string, Answer>>,
  capabilities: string,
): Promise<{ connect(): Promise<LineSocket>; said: string[]; most(): number }> {
  const said: string[] = [];
  let mails = initial.map((raw, index) => ({ raw, uidl: `uidl-${index}` }));
  let most = 0;

  function serve(socket: Socket): void {
    const there = [...mails];
    const deleted = new Set<string>();
    let expectsResponse = false;
    const numbered = (describe: (mail: (typeof mails)[number]) => unknown): string =>
      `+OK\r\n${there.map((mail, index) => `${index + 1} ${String(describe(mail))}\r\n`).join('')}.\r\n`;
    const usual = (command: string, args: string): string => {
      const raw = there[Number.parseInt(args, 10) - 1]?.raw ?? '';
      switch (command) {
        case 'AUTH':
          expectsResponse = true;
          return '+ \r\n';
        case 'CAPA':
          return `+OK\r\nTOP\r\nUIDL\r\n${capabilities}.\r\n`;
        case 'UIDL':
          return numbered(({ uidl }) => uidl);
        case 'LIST':
          return numbered((mail) => mail.raw.length);
        case 'TOP':
          return `+OK\r\n${raw.slice(0, raw.indexOf('\r\n\r\n') + 4)}.\r\n`;
        case 'RETR':
          return `+OK\r\n${raw}.\r\n`;
        case 'DELE':
          deleted.add(there[Number(args) - 1]?.uidl ?? '');
          return '+OK\r\n';
        case 'RSET':
          deleted.clear();
          return '+OK\r\n';
        case 'QUIT':
          mails = mails.filter(({ uidl }) => !deleted.has(uidl));
          return '+OK\r\n';
        default:
          return '+OK\r\n';
      }
    };
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      const commands = chunk.toString('latin1').match(/^(?:TOP|RETR|DELE)/gm) ?? [];
      most = Math.max(most, commands.length);
    });
    createInterface({ input: socket }).on('line', (line) => {
      const [command = '', ...rest] = expectsResponse ? ['(response)'] : line.split(' ');
      expectsResponse = false;
      said.push([command, ...rest].join(' '));
      const args = rest.join(' ');
      const wanted = unusual[command]?.(args);
      const answer = wanted === undefined ? usual(command, args) : wanted;
      if (answer === null) socket.destroy();
      else if (typeof answer === 'string') socket.write(answer, 'latin1');
      else socket.end(answer.half, 'latin1');
    });
    socket.write('+OK\r\n');
  }

  const server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    async connect() {
      const wire = await connectSocket(
        { host: '127.0.0.1', port },
        { rules: { local: true }, withinMs: 5_000 },
      );
      onTestFinished(() => wire.close());
      return wire;
    },
    said,
    most: () => most,
  };
}
