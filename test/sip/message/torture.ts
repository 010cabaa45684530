/** The messages of RFC 4475 by their names there, and what a client that wants to explain things makes of each. */
export interface Torture {
  name: string;
  section: string;
  message: Buffer;
  /** What the complaint names: a header, or null for the first line; absent where the message is readable. */
  malformed?: { field: string | null; says: RegExp };
}

/** Lines end in CR LF; `\x00` and the like stand for bytes below 128, and other text is UTF-8. */
function lines(...text: string[]): Buffer {
  return Buffer.from(text.join('\r\n'), 'utf8');
}

/** What a request needs, for messages whose point is elsewhere; a header given replaces the one of its name. */
function request(
  method: string,
  changes: Readonly<Record<string, string | null>>,
  uri = 'sip:user@example.com',
) {
  return lines(`${method} ${uri} SIP/2.0`, ...headers(method, changes), '', '');
}

function headers(method: string, changes: Readonly<Record<string, string | null>>): string[] {
  const all: Record<string, string | null> = {
    Via: 'SIP/2.0/UDP host5.example.com;branch=z9hG4bK293423',
    'Max-Forwards': '70',
    To: 'sip:j.user@example.com',
    From: 'sip:caller@example.net;tag=93942939o2',
    'Call-ID': 'torture.asdkfj@192.0.2.5',
    CSeq: `8 ${method}`,
    'Content-Length': '0',
    ...changes,
  };
  return Object.entries(all).flatMap(([name, value]) => (value === null ? [] : `${name}: ${value}`));
}

const sdp = [
  'v=0',
  'o=mhandley 29739 7272939 IN IP4 192.0.2.3',
  's=-',
  'c=IN IP4 192.0.2.4',
  't=0 0',
  'm=audio 49217 RTP/AVP 0 12',
  'm=video 3227 RTP/AVP 31',
  'a=rtpmap:31 LPC',
  '',
];
const sdpLength = Buffer.byteLength(sdp.join('\r\n'));

/** The shape of what mpart01 carries: a body with line ends, and bytes that are no text, in it. */
const binaryPart = Buffer.concat([
  Buffer.from('--7a9cbec02ceef655\r\nContent-Type: application/octet-stream\r\n\r\n'),
  Buffer.from([0x00, 0x0d, 0x0a, 0x0d, 0x0a, 0xff]),
  Buffer.from('\r\n--7a9cbec02ceef655--\r\n'),
]);

export const valid: readonly Torture[] = [
  {
    name: 'wsinv',
    section: '3.1.1.1',
    message: lines(
      'INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0',
      'TO :',
      ' sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n',
      'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>',
      '  ;',
      '  tag = 98asjd8',
      'MaX-fOrWaRdS: 0068',
      'Call-ID: wsinv.ndaksdj@192.0.2.1',
      `Content-Length   : ${sdpLength}`,
      'cseq: 0009',
      '  INVITE',
      'Via  : SIP  /   2.0',
      ' /UDP',
      '    192.0.2.2;branch=390skdjuw',
      's :',
      'NewFangledHeader:   newfangled value',
      ' continued newfangled value',
      'UnknownHeaderWithUnusualValue: ;;,,;;,;',
      'Content-Type: application/sdp',
      'Route:',
      ' <sip:services.example.com;lr;unknownwith=value;unknown-no-value>',
      'v:  SIP  / 2.0  / TCP     spindle.example.com   ;',
      '  branch  =   z9hG4bK9ikj8  ,',
      ' SIP  /    2.0   / UDP  192.168.255.111   ; branch=',
      ' z9hG4bK30239',
      'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =',
      '      newvalue ;',
      '  secondparam ; q = 0.33',
      '',
      ...sdp,
    ),
  },
  {
    name: 'intmeth',
    section: '3.1.1.2',
    message: lines(
      "!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:" +
        "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0",
      "Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~",
      'To: "BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" <sip:1_unusual.URI~(to-be!sure)&isn\'t+it$/crazy?,/;;*@example.com>',
      "From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%=\"работающий\"" +
        ";tag=_token~1'+`*%!-.",
      'Call-ID: intmeth.word%ZK-!.*_+\'@word`~)(><:\\/"][?}{',
      "CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~",
      'Max-Forwards: 255',
      "extensionHeader-!.%*+_`'~: \u{fffe}大停電",
      'Content-Length: 0',
      '',
      '',
    ),
  },
  {
    name: 'esc01',
    section: '3.1.1.3',
    message: request(
      'INVITE',
      {
        To: 'sip:%75se%72@example.com',
        From: '<sip:I%20have%20spaces@example.net>;tag=938',
        Contact: '<sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>',
      },
      'sip:sips%3Auser%40example.com@example.net',
    ),
  },
  {
    name: 'escnull',
    section: '3.1.1.4',
    message: request('REGISTER', {
      To: 'sip:null-%00-null@example.com',
      From: 'sip:null-%00-null@example.com;tag=839923423',
      Contact: '<sip:%00@host5.example.com>, <sip:%00%00@host5.example.com>',
    }),
  },
  {
    name: 'esc02',
    section: '3.1.1.5',
    message: lines(
      'RE%47IST%45R sip:registrar.example.com SIP/2.0',
      ...headers('RE%47IST%45R', {
        To: '"%Z%45" <sip:resource@example.com>',
        From: '"%Z%45" <sip:resource@example.com>;tag=f232jadfj23',
        Contact: '<sip:alias1@host1.example.com>',
      }),
      'C%6Fntact: <sip:alias2@host2.example.com>',
      'Contact: <sip:alias3@host3.example.com>',
      '',
      '',
    ),
  },
  {
    name: 'lwsdisp',
    section: '3.1.1.6',
    message: request('OPTIONS', { From: 'caller<sip:caller@example.com>;tag=323' }),
  },
  {
    name: 'longreq',
    section: '3.1.1.7',
    message: lines(
      'INVITE sip:user@example.com SIP/2.0',
      `To: "I have a user name of ${'extreme'.repeat(10)} proportion"<sip:user@example.com:6000;unknownparam1=very${'long'.repeat(20)}value;shortparam=shortvalue>`,
      `F: sip:${'amazinglylongcallername'.repeat(5)}@example.net;tag=12${'982424'.repeat(50)};unknownheaderparam${'name'.repeat(20)}=unknowheaderparam${'value'.repeat(15)};unknownValueless${'paramname'.repeat(10)}`,
      `Call-ID: longreq.one${'really'.repeat(20)}longcallid`,
      'CSeq: 3882340 INVITE',
      `Unknown-${'Long'.repeat(20)}-Name: unknown-${'long'.repeat(20)}-value; unknown-${'long'.repeat(20)}-parameter-name = unknown`,
      'Via: SIP/2.0/TCP sip33.example.com',
      'v: SIP/2.0/TCP sip32.example.com',
      ...Array.from({ length: 31 }, (_, at) => `V: SIP/2.0/TCP sip${31 - at}.example.com`),
      `Max-Forwards: 70`,
      `Contact: <sip:${'amazinglylongcallername'.repeat(5)}@host5.example.net>`,
      'Content-Type: application/sdp',
      `l: ${sdpLength}`,
      '',
      ...sdp,
    ),
  },
  {
    name: 'dblreq',
    section: '3.1.1.8',
    message: Buffer.concat([
      request('REGISTER', { 'Call-ID': 'dblreq.0ha0isndaksdj99sdfafnl3lk233412' }),
      request('INVITE', { 'Call-ID': 'dblreq.0ha0isnda977644900765@192.0.2.15' }),
    ]),
  },
  {
    name: 'semiuri',
    section: '3.1.1.9',
    message: request(
      'OPTIONS',
      { Accept: 'application/sdp, application/pkcs7-mime, multipart/mixed' },
      'sip:user;par=u%40example.net@example.com',
    ),
  },
  {
    name: 'transports',
    section: '3.1.1.10',
    message: lines(
      'OPTIONS sip:user@example.com SIP/2.0',
      ...headers('OPTIONS', { Via: 'SIP/2.0/UDP t1.example.com;branch=z9hG4bKkdjuw' }),
      'Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf',
      'Via: SIP/2.0/TLS t3.example.com;branch=z9hG4bK2980unddj',
      'Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en',
      'Via: SIP/2.0/TCP t5.example.com;branch=z9hG4bK0a9idfnee',
      '',
      '',
    ),
  },
  {
    name: 'mpart01',
    section: '3.1.1.11',
    message: Buffer.concat([
      request('MESSAGE', {
        'Content-Type': 'multipart/mixed;boundary=7a9cbec02ceef655',
        'Content-Length': String(binaryPart.length),
      }),
      binaryPart,
    ]),
  },
  {
    name: 'unreason',
    section: '3.1.1.12',
    message: lines(
      'SIP/2.0 200 = 2**3 * 5**2 но сто девяносто девять - простое',
      ...headers('INVITE', { Contact: '<sip:user@host198.example.com>', 'Max-Forwards': null }),
      '',
      '',
    ),
  },
  {
    name: 'noreason',
    section: '3.1.1.13',
    message: lines('SIP/2.0 100 ', ...headers('INVITE', { 'Max-Forwards': null }), '', ''),
  },
  {
    name: 'badbranch',
    section: '3.2.1',
    message: request('OPTIONS', { Via: 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK' }),
  },
  {
    name: 'unkscm',
    section: '3.3.2',
    message: request('OPTIONS', {}, 'nobodyKnowsThisScheme:totallyopaquecontent'),
  },
  { name: 'novelsc', section: '3.3.3', message: request('OPTIONS', {}, 'soap.beep://192.0.2.103:3002') },
  {
    name: 'unksm2',
    section: '3.3.4',
    message: request('REGISTER', {
      To: 'isbn:2983792873',
      From: '<http://www.example.com>;tag=3234233',
      Contact: '<name:John_Smith>',
    }),
  },
  {
    name: 'bext01',
    section: '3.3.5',
    message: request('OPTIONS', {
      'Proxy-Require': 'nothingSupportsThis, nothingSupportsThisEither',
      Require: 'nothingSupportsThis, nothingSupportsThisEither',
    }),
  },
  {
    name: 'invut',
    section: '3.3.6',
    message: request('INVITE', { 'Content-Type': 'application/unknownformat' }),
  },
  {
    name: 'regaut01',
    section: '3.3.7',
    message: request('REGISTER', { Authorization: 'NoOneKnowsThisScheme opaque-data=here' }),
  },
  {
    name: 'bcast',
    section: '3.3.10',
    message: lines(
      'SIP/2.0 200 OK',
      ...headers('INVITE', { Via: 'SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923' }),
      'Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23',
      '',
      '',
    ),
  },
  { name: 'zeromf', section: '3.3.11', message: request('OPTIONS', { 'Max-Forwards': '0' }) },
  {
    name: 'cparam01',
    section: '3.3.12',
    message: request('REGISTER', { Contact: 'sip:+19725552222@gw1.example.net;unknownparam' }),
  },
  {
    name: 'cparam02',
    section: '3.3.13',
    message: request('REGISTER', { Contact: '<sip:+19725552222@gw1.example.net;unknownparam>' }),
  },
  {
    name: 'regescrt',
    section: '3.3.14',
    message: request('REGISTER', {
      Contact: '<sip:user@example.com?Route=%3Csip:sip.example.com%3E>',
    }),
  },
  {
    name: 'inv2543',
    section: '3.4.1',
    message: lines(
      'INVITE sip:UserB@example.com SIP/2.0',
      'Via: SIP/2.0/UDP iftgw.example.com',
      'From: <sip:+13035551111@ift.client.example.net;user=phone>',
      'Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>',
      'To: sip:+16505552222@ss1.example.net;user=phone',
      'Call-ID: inv2543.1717@ift.client.example.com',
      'CSeq: 56 INVITE',
      'Content-Type: application/sdp',
      '',
      ...sdp,
    ),
  },
];

/** Wrong in a way that RFC 4475 lets a reader forgive, and that does not matter to a client. */
export const forgiven: readonly Torture[] = [
  {
    name: 'escruri',
    section: '3.1.2.11',
    message: request('INVITE', {}, 'sip:user@example.com?Route=%3Csip:example.com%3E'),
  },
  {
    name: 'baddate',
    section: '3.1.2.12',
    message: request('INVITE', { Date: 'Fri, 01 Jan 2010 16:00:00 EST' }),
  },
  {
    name: 'regbadct',
    section: '3.1.2.13',
    message: request('REGISTER', { Contact: 'sip:user@example.com?Route=%3Csip:sip.example.com%3E' }),
  },
  {
    name: 'badaspec',
    section: '3.1.2.14',
    message: request('OPTIONS', { To: '"Watson, Thomas" < sip:t.watson@example.org >' }),
  },
  {
    name: 'baddn',
    section: '3.1.2.15',
    message: request('OPTIONS', { From: 'Bell, Alexander <sip:a.g.bell@example.com>;tag=43' }),
  },
];

export const invalid: readonly Torture[] = [
  {
    name: 'badinv01',
    section: '3.1.2.1',
    message: request('INVITE', {
      Via: 'SIP/2.0/UDP 192.0.2.15;;,;,,',
      Contact: '"Joe" <sip:joe@example.org>;;;;',
    }),
    malformed: { field: 'Via', says: /not a hop/ },
  },
  {
    name: 'clerr',
    section: '3.1.2.2',
    message: Buffer.concat([request('INVITE', { 'Content-Length': '9999' }), lines(...sdp)]),
    malformed: { field: 'Content-Length', says: /says 9999 bytes, but \d+ came/ },
  },
  {
    name: 'ncl',
    section: '3.1.2.3',
    message: request('INVITE', { 'Content-Length': '-999' }),
    malformed: { field: 'Content-Length', says: /not a length: "-999"/ },
  },
  {
    name: 'scalar02',
    section: '3.1.2.4',
    message: request('REGISTER', { CSeq: '36893488147419103232 REGISTER' }),
    malformed: { field: 'CSeq', says: /below 2\*\*31/ },
  },
  {
    name: 'scalar02, only Max-Forwards',
    section: '3.1.2.4',
    message: request('REGISTER', { 'Max-Forwards': '300' }),
    malformed: { field: 'Max-Forwards', says: /0 to 255/ },
  },
  {
    name: 'scalarlg',
    section: '3.1.2.5',
    message: lines(
      'SIP/2.0 503 Service Unavailable',
      ...headers('OPTIONS', {
        CSeq: '9292394834772304023312 OPTIONS',
        'Retry-After': '949302838503028349304023988',
        Warning: '1812 overture "In Progress"',
      }),
      '',
      '',
    ),
    malformed: { field: 'CSeq', says: /below 2\*\*31/ },
  },
  {
    name: 'quotbal',
    section: '3.1.2.6',
    message: request('INVITE', { To: '"Mr. J. User <sip:j.user@example.com>' }),
    malformed: { field: 'To', says: /not an address/ },
  },
  {
    name: 'ltgtruri',
    section: '3.1.2.7',
    message: request('INVITE', {}, '<sip:user@example.com>'),
    malformed: { field: null, says: /first line/ },
  },
  {
    name: 'lwsruri',
    section: '3.1.2.8',
    message: request('INVITE', {}, 'sip:user@example.com; lr'),
    malformed: { field: null, says: /first line/ },
  },
  {
    name: 'lwsstart',
    section: '3.1.2.9',
    message: request('INVITE', {}, ' sip:user@example.com '),
    malformed: { field: null, says: /first line/ },
  },
  {
    name: 'trws',
    section: '3.1.2.10',
    message: lines('OPTIONS sip:user@example.com SIP/2.0  ', ...headers('OPTIONS', {}), '', ''),
    malformed: { field: null, says: /first line/ },
  },
  {
    name: 'badvers',
    section: '3.1.2.16',
    message: lines('OPTIONS sip:user@example.com SIP/7.0', ...headers('OPTIONS', {}), '', ''),
    malformed: { field: null, says: /version 2\.0.*SIP\/7\.0/ },
  },
  {
    name: 'mismatch01',
    section: '3.1.2.17',
    message: request('OPTIONS', { CSeq: '8 INVITE' }),
    malformed: { field: 'CSeq', says: /names "INVITE", the first line "OPTIONS"/ },
  },
  {
    name: 'mismatch02',
    section: '3.1.2.18',
    message: request('NEWMETHOD', { CSeq: '8 INVITE' }),
    malformed: { field: 'CSeq', says: /names "INVITE", the first line "NEWMETHOD"/ },
  },
  {
    name: 'bigcode',
    section: '3.1.2.19',
    message: lines('SIP/2.0 4294967301 better not break the receiver', ...headers('INVITE', {}), '', ''),
    malformed: { field: null, says: /status code: "4294967301"/ },
  },
  {
    name: 'insuf',
    section: '3.3.1',
    message: lines(
      'INVITE sip:user@example.com SIP/2.0',
      'CSeq: 193942 INVITE',
      'Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf',
      'Content-Type: application/sdp',
      'l: 0',
      '',
      '',
    ),
    malformed: { field: 'From', says: /From is missing/ },
  },
  {
    name: 'multi01',
    section: '3.3.8',
    message: lines(
      'INVITE sip:user@company.com SIP/2.0',
      ...headers('INVITE', { From: null }),
      'From: sip:caller@example.net;tag=3413415',
      'F: sip:other@example.net;tag=3413415',
      '',
      '',
    ),
    malformed: { field: 'From', says: /more than once/ },
  },
  {
    name: 'mcl01',
    section: '3.3.9',
    message: Buffer.concat([
      lines('OPTIONS sip:user@example.com SIP/2.0', ...headers('OPTIONS', {}), 'l: 5', '', ''),
      Buffer.from('There'),
    ]),
    malformed: { field: 'Content-Length', says: /more than once/ },
  },
];
