/** The stretches of a test, in the order in which they are gone through: from here, then as a PBX sees it. */
export type StageName =
  | 'configuration'
  | 'dns'
  | 'connect'
  | 'options'
  | 'register'
  | 'call'
  | 'webrtc'
  | 'nat'
  | 'pbx-registration'
  | 'pbx-qualify'
  | 'pbx-call';

/** What one stage found. Words for people are made of `cause` and `facts` later, where the trunk's own fields are known. */
export interface Finding {
  stage: StageName;
  status: 'ok' | 'warning' | 'failed' | 'skipped';
  /** A stable machine word for what went wrong, for example `connection_refused`; null where nothing did. */
  cause: string | null;
  /** One line: what was done and what came back; without secrets. */
  detail: string;
  /** Milliseconds that the stage took. */
  ms: number;
  /** Machine-readable particulars: status codes, addresses, certificates, counts; without secrets. */
  facts: Readonly<Record<string, unknown>>;
}
