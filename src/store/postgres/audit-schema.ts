import { anchorKey, chainBegin, headKey, headText } from '../audit-chain.ts';

const netstring = (text: string): string =>
  `octet_length(convert_to(${text}, 'UTF8')) || ':' || ${text} || ','`;
const members = ['NEW.at', 'NEW.actor', 'NEW.action', 'NEW.noun', 'NEW.tenant', 'NEW.name', 'NEW.detail'];
const joined = ['previous', 'NEW.id::text', ...members]
  .map((text) => (text === 'NEW.tenant' ? `coalesce(${netstring(text)}, '-')` : netstring(text)))
  .join(' || ');

/**
 * The chain of the audit trail, as `chainHash` describes it. The server makes it: who may add rows cannot choose their
 * hash, their number or their time, and stands in them by the name that was logged in with. The owner's own word is taken.
 */
export const auditStatements: readonly string[] = [
  `INSERT INTO meta (key, value) VALUES ('${headKey}', '${headText(chainBegin)}'), ('${anchorKey}', '0')`,
  `CREATE FUNCTION sipctl_chain() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
   DECLARE head text; previous text := '${chainBegin.hash}';
   BEGIN
     PERFORM NEW.detail::json;
     SELECT value INTO head FROM meta WHERE key = '${headKey}' FOR UPDATE;
     IF head IS NULL THEN
       SELECT coalesce(max(id), 0) + 1 INTO NEW.id FROM audit;
     ELSE
       NEW.id := split_part(head, ' ', 1)::bigint + 1;
       previous := split_part(head, ' ', 2);
     END IF;
     IF NOT sipctl_is_owner() THEN
       NEW.at := sipctl_now();
       NEW.actor := session_user || ': ' || NEW.actor;
     END IF;
     NEW.hash := encode(sha256(convert_to(${joined}, 'UTF8')), 'hex');
     UPDATE meta SET value = NEW.id || ' ' || NEW.hash WHERE key = '${headKey}';
     RETURN NEW;
   END $$`,
  'CREATE TRIGGER sipctl_chain BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION sipctl_chain()',
];

/** Rows from before the chain are added anew, as they are: from here on a change of them shows, too. */
export const anchorStatements: readonly string[] = [
  'CREATE TEMP TABLE audit_before ON COMMIT DROP AS TABLE audit',
  'DELETE FROM audit',
  `INSERT INTO audit (at, actor, action, noun, tenant, name, detail)
   SELECT at, actor, action, noun, tenant, name, detail FROM audit_before ORDER BY id`,
  `UPDATE meta SET value = (SELECT count(*)::text FROM audit_before) WHERE key = '${anchorKey}'`,
];
