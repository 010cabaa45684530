/**
 * The commented starter of a provider file, which passes the linter as it is.
 * @param id of the provider: the file has to be named `<id>.yaml`
 * @param today ISO date, the first value of `verified`
 */
export function newProviderYaml(id: string, today: string): string {
  return `# A carrier in one file: providers/${id}.yaml in the folder of your own templates.
# Check it with: sipctl provider lint providers/${id}.yaml
# What you leave out keeps the value shown behind "default". Leave out what the carrier does not publish:
# sipctl asks for it when a trunk is added.

id: ${id}
display_name: ${id}
# Where the carrier documents this, and the day you read it.
docs: https://carrier.example/sip
verified: ${today}

# credential: user name and password. ip: the carrier knows your address. The first one is the default.
auth_types: [credential]
# The first one is the default of each. A region is a word to choose the host by.
hosts:
  - { host: sip.carrier.example, region: main }
transports: [udp]
# Where each customer has a host of his own, write no hosts and ask for it:
#   hosts: []                                              default
#   host_pattern: '{name}.carrier.example'                 shown to whoever is asked
#   required_fields: { credential: [host, username, password] }
# ports: { udp: 5060, tcp: 5060, tls: 5061 }               default

# What must be given for a trunk, by the names that sipctl trunk show --json prints.
required_fields:
  credential: [username, password]

# A regular expression for the whole account name, and what to tell whoever gets it wrong.
# username_rule: { pattern: '[0-9]{6}', help: six digits } default: any name
# Digest realm (RFC 7616 §3.3). Only when it is documented: another one is then refused.
# realm: sip.carrier.example                               default: any realm

# required: calls come to the registered contact. optional. none: the carrier takes no REGISTER.
registration: { mode: required, expiry: 300 }
# The addresses that calls come from, no names. Without them calls are matched by the registration.
# networks:
#   source: https://carrier.example/addresses
#   read: ${today}
#   cidrs: [192.0.2.0/28]

# The user part of From: account, did, did-plus (with +) or caller.
# from_user: account                                       default
# Headers that carry the caller's number: P-Asserted-Identity (RFC 3325), Remote-Party-ID.
# caller_id: { pai: true, rpid: false }                    default

# Where the called number stands in an INVITE (ruri or to), how it is written, and how to dial; in words.
# did_source: ruri
# did_format: '+ and E.164'
# dialed_format: '+ and E.164'

# codecs: [ulaw, alaw]                                     default
# dtmf: rfc4733                                            default; or inband, info, auto, auto_info
# srtp: optional                                           or required, unsupported
# t38: true                                                the carrier takes T.38 fax
# qualify_frequency: 60                                    default; seconds between OPTIONS, 0: it ignores them
# notes:
#   - What whoever adds a trunk should know.

# Options of Asterisk that differ from those of all other carriers; null takes one away.
# asterisk:
#   endpoint:
#     timers: always
#     from_domain: null
`;
}
