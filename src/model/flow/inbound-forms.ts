import { type NumberingPlan, planOfNumber } from './numbering.ts';

/**
 * In which forms a carrier may write each number: `+4930…`, `4930…`, `030…`, `30…`, `004930…`, `0114930…`. Carriers
 * change these without notice, so all are taken; but a form that two numbers claim says nothing, and belongs to neither.
 */
export function inboundForms(
  numbers: readonly string[],
  tenantPlan: NumberingPlan | null,
): Map<string, readonly string[]> {
  const claims = new Map<string, number>();
  const forms = new Map(numbers.map((number) => [number, formsOf(number, tenantPlan)]));
  for (const form of [...forms.values()].flat()) claims.set(form, (claims.get(form) ?? 0) + 1);
  for (const [number, all] of forms) {
    forms.set(
      number,
      all.filter((form) => form === number || claims.get(form) === 1),
    );
  }
  return forms;
}

/** The canonical form comes first. */
function formsOf(number: string, tenantPlan: NumberingPlan | null): string[] {
  const digits = number.slice(1);
  const plan = planOfNumber(number);
  const national = plan === null ? null : digits.slice(plan.callingCode.length);
  const abroad = (tenantPlan?.internationalPrefixes ?? []).filter((prefix) => !prefix.includes('X'));
  return [
    ...new Set([
      number,
      digits,
      ...(plan === null ? [] : [plan.nationalPrefix + national, national as string]),
      ...['00', '011', ...abroad.slice(0, 1)].map((prefix) => prefix + digits),
    ]),
  ];
}
