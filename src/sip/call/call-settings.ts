import type { Header } from '../message/message.ts';
import type { Credentials } from '../transport/authenticate.ts';
import type { Connection } from '../transport/connection.ts';
import type { MediaSettings } from './call-media.ts';

/** Whom to call. All URIs and headers are as they go into the message. */
export interface DialSettings {
  /** The request URI, for example `sip:+15550100@carrier.example.com`. */
  uri: string;
  /** The URI of From, without brackets. */
  from: string;
  /** The user of Contact. */
  user: string;
  credentials: Credentials | null;
  /** Values of Route, for example `<sip:proxy.example.com;lr>`. */
  routes: readonly string[];
  /** More headers of the INVITE, for example P-Asserted-Identity. */
  headers: readonly Header[];
  /** How long it may take until somebody answers. */
  ringMs: number;
  /** How long both sides send audio. */
  talkMs: number;
  /** How long to wait for the peer's word on a CANCEL or BYE. */
  graceMs: number;
  userAgent: string;
  /** T1 of RFC 3261: 500 where it is not given. */
  t1?: number;
  /**
   * Opens the way to the next hop of a dialog (RFC 3261 §12.2.1.1), where it may be another than the way of the INVITE;
   * null for the same.
   */
  reach?: (uri: string) => Promise<Connection | null>;
}

/** Whom to call, and what to send. */
export interface CallSettings extends DialSettings, MediaSettings {
  /** The local address of the audio, where it is not that of the connection. */
  mediaAddress?: string;
}
