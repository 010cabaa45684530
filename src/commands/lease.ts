import type { App } from '../app.ts';
import type { Lease, LeaseView } from '../store/leases.ts';

/** Takes the lease of a name for this process. @throws SipctlError `conflict` naming the holder */
export async function leaseOf(app: App, name: string): Promise<Lease> {
  const store = await app.store();
  return store.lease(name, app.self, leaseView(app));
}

/** How this process tells a lease that is held from one whose owner is gone. */
export const leaseView = ({ now, self }: App): LeaseView => ({
  now,
  host: self.host,
  isAlive: processIsAlive,
});

function processIsAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
