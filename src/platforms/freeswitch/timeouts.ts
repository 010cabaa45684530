/** Milliseconds. */
export interface Timeouts {
  /** From the first packet to the accepted password. */
  connect: number;
  /** For each command; a reload of 10,000 users in one domain takes 4 s. */
  command: number;
  /** Until a gateway that was ended is gone, which takes FreeSWITCH a second or two. */
  gateway: number;
  /**
   * No time, but known wherever they are: opens the way to the control connection where it is no connection of this
   * machine's own, and answers the path of a socket.
   */
  through?: () => Promise<string>;
}

export const defaultTimeouts: Timeouts = { connect: 10_000, command: 120_000, gateway: 10_000 };
