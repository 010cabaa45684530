/** Milliseconds. */
export interface Timeouts {
  /** From the first packet to the accepted login. */
  connect: number;
  /** For each answer, and for each further item of a list. */
  action: number;
  /** For a reload of an empty system; every object adds its share. */
  reload: number;
  /** For carriers to confirm that registrations ended; one that is silent then stops no reload. */
  unregister: number;
  /**
   * No time, but known wherever they are: opens the way to the control connection where it is no connection of this
   * machine's own, and answers the path of a socket.
   */
  through?: () => Promise<string>;
}

export const defaultTimeouts: Timeouts = {
  connect: 10_000,
  action: 30_000,
  reload: 60_000,
  unregister: 5_000,
};
