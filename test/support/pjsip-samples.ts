/** Files of PBXs as people write them: by a web panel with markers, by hand, by inheritance, by the wizard. */

export const panelTrunks = `; === TRUNK: telnyx_main ===
[telnyx_main]
type=registration
transport=transport-udp
outbound_auth=telnyx_main-auth
server_uri=sip:sip.telnyx.com
client_uri=sip:1234567890@sip.telnyx.com
contact_user=1234567890
retry_interval=60
expiration=300

[telnyx_main-auth]
type=auth
auth_type=userpass
username=1234567890
password=my_secret_password

[telnyx_main-aor]
type=aor
contact=sip:sip.telnyx.com
qualify_frequency=60

[telnyx_main-endpoint]
type=endpoint
transport=transport-udp
context=from-trunk
disallow=all
allow=ulaw,alaw,g722
outbound_auth=telnyx_main-auth
aors=telnyx_main-aor
from_user=+15551234567
from_domain=sip.telnyx.com
send_pai=yes
send_rpid=yes
direct_media=no
rtp_symmetric=yes
force_rport=yes
rewrite_contact=yes
ice_support=no

[telnyx_main-identify]
type=identify
endpoint=telnyx_main-endpoint
match=sip.telnyx.com

; === END TRUNK: telnyx_main ===
`;

export const panelUsers = `; === SIP USER: mobile_user_1 (Mobile SIP User) ===
[mobile_user_1]
type=auth
auth_type=userpass
username=mobile_user_1
password=secure_password_123

[mobile_user_1]
type=aor
max_contacts=5
remove_existing=no
qualify_frequency=60
maximum_expiration=7200
minimum_expiration=60
default_expiration=3600

[mobile_user_1]
type=endpoint
transport=transport-udp
context=default
disallow=all
allow=opus,ulaw,alaw
auth=mobile_user_1
aors=mobile_user_1
direct_media=no
rtp_symmetric=yes
force_rport=yes
rewrite_contact=yes
ice_support=yes
use_avpf=yes
media_use_received_transport=yes
rtcp_mux=yes
callerid=2001 <2001>
dtmf_mode=rfc4733
allow_subscribe=yes
sub_min_expiry=60

; === END SIP USER: mobile_user_1 ===
`;

/** Templates, \`+=\`, \`(+)\`, comments in lines and over lines, capitals, and options no field stands for. */
export const handWritten = `
[phone](!)          ; what all phones have
type = endpoint
context = from-internal
disallow = all
allow = !all,ulaw
allow += ,alaw
direct_media = no
rtp_symmetric = yes
Force_RPort = yes

[phone-auth](!)
type => auth
auth_type => userpass

[phone-aor](!)
type = aor
max_contacts = 3

;-- an account that is gone
[1000](phone)
--;
[1001](phone)
auth = 1001-auth
aors = 1001
callerid = "Ann O'Hara" <1001>
named_call_group = sales,support
rtp_timeout = 120
set_var = DEPARTMENT=sales,front desk
set_var = FLOOR=2
[1001-auth](phone-auth)
username = ann
password = semi\\;colon and "quotes"
[1001](phone-aor)
mailboxes = 1001@default
remove_existing = yes

[1002](phone)
auth = 1002
aors = 1002
callerid = Bob <1002>
[1002](phone-auth)
username = 1002
password = bob-secret
[1002](phone-aor)
support_path = yes
[1002](+type=endpoint)
dtmf_mode = inband
device_state_busy_at = 2

[peer-trunk]
type = endpoint
transport = transport-udp
context = from-peer
disallow = all
allow = g722,ulaw:20
aors = peer-trunk
from_user = some.account
trust_id_inbound = yes
t38_udptl = yes
[peer-trunk]
type = aor
contact = sip:198.51.100.7:5070
qualify_frequency = 15
[peer-trunk]
type = identify
endpoint = peer-trunk
match = 198.51.100.0/28
match = 203.0.113.9

[carrier]
type = registration
transport = transport-tcp
outbound_auth = carrier-login
server_uri = sip:198.51.100.20\\;transport=tcp
client_uri = sip:acct7@voice.example
contact_user = inbound7
expiration = 600
max_retries = 20
line = yes
endpoint = carrier
[carrier-login]
type = auth
auth_type = userpass
username = acct7-digest
password = carrier-secret
realm = voice.example
[carrier]
type = endpoint
transport = transport-tcp
context = from-carrier
disallow = all
allow = alaw
outbound_auth = carrier-login
aors = carrier
from_user = acct7
from_domain = voice.example
send_pai = yes
inband_progress = yes
[carrier]
type = aor
contact = sip:198.51.100.20\\;transport=tcp
qualify_frequency = 0
`;
