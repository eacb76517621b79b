// Answers questions about encryption by Tencent's package: a JSON line in, a JSON line out.
const readline = require('readline');

const wecom = require(process.argv[2]);

function answer(q) {
  switch (q.do) {
    case 'encrypt':
      return wecom.encrypt(q.key, q.message, q.id, Buffer.from(q.random, 'base64'));
    case 'decrypt': {
      const found = wecom.decrypt(q.key, q.cipher);
      return { message: found.message, id: found.id };
    }
    case 'sign':
      return wecom.getSignature(q.token, q.timestamp, q.nonce, q.cipher);
    default:
      throw new Error(`unknown question ${q.do}`);
  }
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  let said;
  try {
    said = { answer: answer(JSON.parse(line)) };
  } catch (error) {
    said = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
});
