/** A person who may sign in on the demo's sign-in page. */
export interface DemoPerson {
  /** Object ID, a GUID. */
  id: string;
  name: string;
  /** Username, an email address. */
  upn: string;
  roles: readonly string[];
}

/** What the host's own page needs to send a demo email. */
export interface DemoMailOptions {
  mailboxes: readonly string[];
  /** Accepts mail without sign-in, for the demo mailboxes only. */
  dropSmtp: { host: string; port: number };
  /** Folder with what was sent to addresses outside of the demo (`copyMail`). */
  customerMail?: string | undefined;
}

export interface HostOptions {
  /** The built app: host.json, package.json and code. */
  appDir: string;
  /** On 127.0.0.1; 0 takes a free one. */
  port: number;
  /** App settings. They are set in the environment after the app's code is loaded. */
  settings: Readonly<Record<string, string>>;
  /** Stores the key of the sign-in sessions between starts. */
  stateDir: string;
  people: readonly DemoPerson[];
  demo?: DemoMailOptions;
  /** Timers and queues run. Without them only HTTP and POST /admin/functions/NAME start anything. */
  background: boolean;
  /** Listeners in another process may run the timer and queue functions; see outside-listeners.ts. */
  outsideListeners?: boolean;
  /** A host process also logs at level debug, such as the end of each execution. */
  logDebug?: boolean;
  /** Tuning of the queue trigger, for tests. */
  queues?: { leaseSeconds?: number; maxIdleMs?: number };
}

/** The people of the demo organization, one for each role. */
export const demoPeople: readonly DemoPerson[] = [
  {
    id: '5b1f0a52-3c44-4c09-9d3e-6f1a2b7c8d01',
    name: 'Alex Admin',
    upn: 'alex@contoso.example',
    roles: ['admin'],
  },
  {
    id: '5b1f0a52-3c44-4c09-9d3e-6f1a2b7c8d02',
    name: 'Sam Support',
    upn: 'sam@contoso.example',
    roles: ['agent'],
  },
];
