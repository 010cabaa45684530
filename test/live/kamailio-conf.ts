import type { Certificate } from './certificates.ts';

/** An account that the registrar knows. */
export interface KamailioUser {
  name: string;
  password: string;
}

/** Where it listens, and what it says to whom. */
export interface KamailioSettings {
  host: string;
  /** UDP and TCP. */
  port: number;
  /** UDP only: where users who moved are sent to. */
  newPort: number;
  /** UDP and TCP on ::1; null: not there. */
  ipv6Port: number | null;
  realm: string;
  algorithm: 'MD5' | 'SHA-256';
  /** Folder of the modules. */
  modules: string;
  users: readonly KamailioUser[];
  tls: readonly { port: number; certificate: Certificate }[];
  tlsFile: string;
}

/** Users whose REGISTER is not simply checked. All others are, and unknown ones get 404. */
export const specialUsers = {
  /** 403, whatever the password. */
  blocked: 'blocked',
  /** 302 to the new port, where the user is as all others. */
  moved: 'moved',
  /** 302 to where it came from. */
  circling: 'circling',
  /** 423 for less than two hours, then as all others. */
  patient: 'patient',
  /** 423 whatever it asks for. */
  brief: 'brief',
} as const;

/** A registrar with digest authentication that answers OPTIONS, and logs each request with its user and expiry. */
export const kamailioConf = (at: KamailioSettings): string => `#!KAMAILIO
debug=1
log_stderror=yes
children=2
tcp_children=2
auto_aliases=no
dns=no
rev_dns=no
use_dns_cache=no
mhomed=0
server_header="Server: kamailio"
listen=udp:${at.host}:${at.port}
listen=udp:${at.host}:${at.newPort}
listen=tcp:${at.host}:${at.port}
${at.ipv6Port === null ? '' : `listen=udp:[::1]:${at.ipv6Port}\nlisten=tcp:[::1]:${at.ipv6Port}`}
${at.tls.length > 0 ? 'enable_tls=yes' : ''}
${at.tls.map(({ port }) => `listen=tls:${at.host}:${port}`).join('\n')}

mpath="${at.modules}"
${[
  'sl',
  'pv',
  'xlog',
  'textops',
  'siputils',
  'maxfwd',
  'usrloc',
  'registrar',
  'htable',
  'auth',
  'tm',
  'tmx',
  'rr',
]
  .map((name) => `loadmodule "${name}.so"`)
  .join('\n')}
${at.tls.length > 0 ? `loadmodule "tls.so"\nmodparam("tls", "config", "${at.tlsFile}")` : ''}
modparam("htable", "htable", "passwords=>size=6")
modparam("registrar", "min_expires", 30)
modparam("registrar", "min_expires_mode", 1)
modparam("registrar", "max_expires", 7200)
modparam("auth", "algorithm", "${at.algorithm}")
modparam("auth", "qop", "auth")
modparam("auth", "nonce_expire", 60)
modparam("auth", "force_stateless_reply", 1)

event_route[htable:mod-init] {
${at.users.map(({ name, password }) => `  $sht(passwords=>${name}) = "${password}";`).join('\n')}
}

request_route {
  $var(expires) = $(hdr(Expires));
  if ($var(expires) == 0 && !is_present_hf("Expires")) $var(expires) = $(ct{tobody.params}{param.value,expires});
  xlog("L_ALERT", "heard: $rm user=$tU expires=$var(expires) signed=$(hdr(Authorization){s.len}) via=$proto\\n");
  if (!mf_process_maxfwd_header("10")) {
    sl_send_reply("483", "Too Many Hops");
    exit;
  }
  if (is_method("OPTIONS")) {
    append_to_reply("Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REGISTER\\r\\n");
    sl_send_reply("200", "OK");
    exit;
  }
  if (is_method("REGISTER")) route(REGISTER);
  if (is_method("ACK")) exit;
  sl_send_reply("404", "Not Found");
}

route[REGISTER] {
  if ($sht(passwords=>$tU) == $null) {
    sl_send_reply("404", "Not Found");
    exit;
  }
  switch ($tU) {
    case "${specialUsers.blocked}":
      sl_send_reply("403", "Forbidden");
      exit;
    case "${specialUsers.moved}":
      if ($Rp == ${at.newPort}) break;
      append_to_reply("Contact: <sip:${at.host}:${at.newPort}>\\r\\n");
      sl_send_reply("302", "Moved Temporarily");
      exit;
    case "${specialUsers.circling}":
      append_to_reply("Contact: <sip:${at.host}:${at.port}>\\r\\n");
      sl_send_reply("302", "Moved Temporarily");
      exit;
  }
  if (!pv_www_authenticate("${at.realm}", "$sht(passwords=>$au)", "0")) {
    www_challenge("${at.realm}", "1");
    exit;
  }
  consume_credentials();
  $var(seconds) = $(var(expires){s.int});
  if ($tU == "${specialUsers.patient}" && $var(seconds) > 0 && $var(seconds) < 7200) {
    append_to_reply("Min-Expires: 7200\\r\\n");
    sl_send_reply("423", "Interval Too Brief");
    exit;
  }
  if ($tU == "${specialUsers.brief}") {
    append_to_reply("Min-Expires: 7200\\r\\n");
    sl_send_reply("423", "Interval Too Brief");
    exit;
  }
  save("location");
  exit;
}
`;

/** A certificate for each listener. */
export const kamailioTls = ({ host, tls }: KamailioSettings): string =>
  tls
    .map(
      ({ port, certificate }, index) => `[server:${host}:${port}]
method = TLSv1.2+
verify_certificate = no
require_certificate = no
private_key = ${certificate.key}
certificate = ${certificate.cert}
${index > 0 ? '' : `\n[server:default]\nmethod = TLSv1.2+\nprivate_key = ${certificate.key}\ncertificate = ${certificate.cert}\n`}`,
    )
    .join('\n');
