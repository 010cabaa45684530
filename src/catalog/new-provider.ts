/**
 * The commented starter of a provider file, which passes the linter as it is.
 * @param id of the provider: the file has to be named `<id>.yaml`
 * @param today ISO date, the first value of `verified`
 */
export function newProviderYaml(id: string, today: string): string {
  return `# A carrier in one file, ${id}.yaml. Check it with: sipctl provider lint
# Lines that start with # and a key, without a blank, hold defaults and examples: take the # away to use them.
# Leave out what the carrier does not publish: sipctl asks for what it needs when a trunk is added.

id: ${id}
display_name: ${id}
# Where the carrier documents this, and the day on which you read it.
docs: https://carrier.example/sip
verified: ${today}

# credential: user name and password. ip: the carrier knows your address. The first one is the default.
auth_types: [credential]
# The first one is the default. A region is the word to choose a host by. Where each customer has a host of his
# own, take hosts away, show with host_pattern how it looks, and add host to required_fields.
hosts:
  - { host: sip.carrier.example, region: main }
#host_pattern: '{name}.carrier.example'
transports: [udp]
#ports: { udp: 5060, tcp: 5060, tls: 5061 }  # default

# What must be given for a trunk, by the names that sipctl trunk show --json prints.
required_fields:
  credential: [username, password]

# A regular expression for the whole account name, and what to tell whoever gets it wrong.
#username_rule: { pattern: '[0-9]{6}', help: six digits }
# Digest realm (RFC 7616 §3.3), only where it is documented: challenges with any other one are then not answered.
#realm: sip.carrier.example

# required: calls come to the registered contact. optional. none: the carrier takes no REGISTER. Expiry in seconds.
registration: { mode: required, expiry: 300 }
# The addresses that calls come from, no names. Without them, calls are matched by the registration.
#networks:
#  source: https://carrier.example/addresses
#  read: ${today}
#  cidrs: [192.0.2.0/28]

# The user part of From: account, did, did-plus (with +) or caller.
#from_user: account  # default
# Headers that carry the caller's number: P-Asserted-Identity (RFC 3325), Remote-Party-ID.
#caller_id: { pai: true, rpid: false }  # default

# Where the called number stands in an INVITE (ruri or to), how it is written, and how to dial; in words.
#did_source: ruri
#did_format: + and E.164
#dialed_format: + and E.164
#number_format: plus

#codecs: [ulaw, alaw]  # default
#dtmf: rfc4733  # default; or inband, info, auto, auto_info
#srtp: optional  # or required, unsupported
#t38: true  # the carrier takes T.38 fax
#qualify_frequency: 60  # default; seconds between OPTIONS, 0 where the carrier does not answer them
#failures:
#  # What the carrier means by a failure, in the words of: sipctl trunk test --json
#  - { cause: forbidden, stage: call, field: fromUser, means: the caller's number is not one of the account }
#notes:
#  - What whoever adds a trunk should know.

# Options of Asterisk that differ from those of all other carriers; null takes one away.
#asterisk:
#  endpoint:
#    timers: always
#    from_domain: null
`;
}
