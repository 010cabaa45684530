/**
 * A destination of FreePBX's dialplan (`context,extension,priority`) as one of sipctl; null where there is none that says
 * the same. Users are called like their extensions, as they are imported.
 */
export function destinationOfFreePbx(text: string): string | null {
  const [context = '', extension = ''] = text.split(',').map((part) => part.trim());
  const [, box] = /^vm[a-z]([0-9]+)$/.exec(extension) ?? [];
  if (context === 'ext-local' && box !== undefined) return `voicemail:${box}`;
  if (['from-did-direct', 'ext-local', 'from-internal'].includes(context) && /^[0-9]+$/.test(extension))
    return `user:${extension}`;
  // Without its list of other phones, which is told of on the row of the user.
  const [, followed] = context === 'ext-findmefollow' ? (/^(?:FM)?([0-9]+)$/i.exec(extension) ?? []) : [];
  if (followed !== undefined) return `user:${followed}`;
  if (context !== 'app-blackhole') return null;
  return endings[extension as keyof typeof endings] ?? null;
}

const endings = {
  hangup: 'hangup',
  busy: 'hangup:busy',
  congestion: 'hangup:congestion',
} as const;
