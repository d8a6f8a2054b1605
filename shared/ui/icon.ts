/** The mark: a ticket with its notches that is also an envelope. */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" width="32" height="32">
<rect width="32" height="32" rx="8" fill="#2a51a8"/>
<path fill="#fff" d="M8 8.5h16a2 2 0 0 1 2 2v3.1a2.4 2.4 0 0 0 0 4.8v3.1a2 2 0 0 1-2 2H8a2 2 0 0 1-2-2v-3.1a2.4 2.4 0 0 0 0-4.8v-3.1a2 2 0 0 1 2-2z"/>
<path fill="none" stroke="#2a51a8" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" d="m10.5 12.5 5.5 4.4 5.5-4.4"/>
</svg>
`;
