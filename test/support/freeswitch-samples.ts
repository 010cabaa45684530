/** Gateways and an account as the configuration that ships with FreeSWITCH has them, at an address of the test. */
export const samples = (host: string): Record<string, string> => ({
  'vars.xml': `<include>
  <X-PRE-PROCESS cmd="set" data="default_password=of-the-phone"/>
  <X-PRE-PROCESS cmd="set" data="domain=sip.example"/>
</include>
`,
  'sip_profiles/external/carrier.xml': `<include>
  <gateway name="carrier">
    <param name="username" value="acct1234"/>
    <param name="auth-username" value="acct1234-digest"/>
    <param name="password" value="gateway &amp; secret"/>
    <param name="realm" value="voice.example"/>
    <param name="proxy" value="${host}:5099"/>
    <param name="register" value="false"/>
    <param name="expire-seconds" value="600"/>
    <param name="caller-id-in-from" value="true"/>
    <param name="extension" value="5000"/>
    <param name="context" value="public"/>
    <variables>
      <variable name="any_call" value="x"/>
      <variable name="rtp_secure_media" value="mandatory" direction="outbound"/>
    </variables>
  </gateway>
  <gateway name="peer">
    <param name="proxy" value="${host}:5098"/>
    <param name="register" value="false"/>
    <param name="from-user" value="+15551234567"/>
    <param name="ping" value="25"/>
  </gateway>
</include>
`,
  'directory/default.xml': `<include>
<domain name="$\${domain}">
  <params>
    <param name="dial-string" value="\${sofia_contact(*/\${dialed_user}@\${dialed_domain})}"/>
  </params>
  <variables>
    <variable name="record_stereo" value="true"/>
  </variables>
  <groups>
    <group name="default">
      <users>
        <X-PRE-PROCESS cmd="include" data="default/*.xml"/>
      </users>
    </group>
    <group name="sales">
      <users>
        <user id="1000" type="pointer"/>
      </users>
    </group>
  </groups>
</domain>
</include>
`,
  'directory/default/1000.xml': `<include>
  <user id="1000">
    <params>
      <param name="password" value="$\${default_password}"/>
      <param name="vm-password" value="4711"/>
    </params>
    <variables>
      <variable name="toll_allow" value="domestic,international,local"/>
      <variable name="accountcode" value="1000"/>
      <variable name="user_context" value="default"/>
      <variable name="effective_caller_id_name" value="Extension 1000"/>
      <variable name="effective_caller_id_number" value="1000"/>
      <variable name="outbound_caller_id_number" value="0000000000"/>
      <variable name="callgroup" value="techsupport"/>
    </variables>
  </user>
</include>
`,
});
