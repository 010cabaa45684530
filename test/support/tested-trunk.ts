import type { Sandbox } from './run-sipctl.ts';

/** The password of every trunk here. */
export const trunkPassword = 'Secret-of-the-trunk';

/** One stage of a test, as `--json` tells it. */
export interface TestedStage {
  stage: string;
  status: string;
  cause: string | null;
  detail: string;
  facts: Record<string, unknown>;
}

/** What `trunk test --json` tells. */
export interface Tested {
  trunks: {
    trunk: string;
    status: string;
    stages: TestedStage[];
    causes: { code: string; message: string; field?: string; hint?: string }[];
  }[];
}

/** Adds a trunk whose carrier is a server of this machine. */
export async function addTrunk(
  box: Sandbox,
  port: number,
  name: string,
  { username = name, more = '' } = {},
): Promise<void> {
  await box.ok(
    `trunk add ${name} --provider custom_credential --host 127.0.0.1 --port ${port} --username ${username} --password env:P --networks 127.0.0.1 ${more}`.trim(),
    { env: { P: trunkPassword } },
  );
}
