'use strict';
// Archives byte by byte, so that tests can make those that no packer makes.

const { crc32, deflateRawSync, inflateRawSync } = require('node:zlib');

/** The entries of a plain archive: `[{name, content}]`. */
function read(archive) {
  const end = archive.length - 22;
  let at = archive.readUInt32LE(end + 16);
  const entries = [];
  for (let count = archive.readUInt16LE(end + 10); count > 0; count -= 1) {
    const [method, packed, nameLength, local] = [archive.readUInt16LE(at + 10), archive.readUInt32LE(at + 20), archive.readUInt16LE(at + 28), archive.readUInt32LE(at + 42)];
    const name = archive.toString('latin1', at + 46, at + 46 + nameLength);
    const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    const bytes = archive.subarray(start, start + packed);
    entries.push({ name, content: method === 8 ? inflateRawSync(bytes) : bytes });
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return entries;
}

/**
 * An archive of such entries. An entry may say more: `localName` another name in front of the content, `mode` that of a
 * Unix file, `extra` in the directory, `listed: false` not in the directory, `behind` bytes after the packed content.
 */
function write(entries, { before = '', comment = '' } = {}) {
  const parts = [Buffer.from(before)];
  const directory = [];
  let offset = parts[0].length;
  for (const { name, content, localName = name, mode = 0, extra = '', listed = true, behind = '' } of entries) {
    const packed = Buffer.concat([deflateRawSync(content), Buffer.from(behind)]);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    // crc32 is younger than the oldest Node.js that runs this.
    common.writeUInt32LE(checksum(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(content.length, 18);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(localName), packed]);
    local.writeUInt16LE(Buffer.byteLength(localName), 26);
    if (listed) {
      common.writeUInt16LE(Buffer.byteLength(name), 22);
      common.writeUInt16LE(Buffer.byteLength(extra), 24);
      const rest = Buffer.alloc(14);
      rest.writeUInt32LE((mode << 16) >>> 0, 6);
      rest.writeUInt32LE(offset, 10);
      directory.push(Buffer.from('PK\x01\x02'), Buffer.from([20, 3]), common, rest, Buffer.from(name + extra));
    }
    parts.push(local);
    offset += local.length;
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  const count = entries.filter(({ listed = true }) => listed).length;
  end.writeUInt16LE(count, 4);
  end.writeUInt16LE(count, 6);
  end.writeUInt32LE(listing.length, 8);
  end.writeUInt32LE(offset, 12);
  end.writeUInt16LE(comment.length, 16);
  return Buffer.concat([...parts, listing, Buffer.from('PK\x05\x06'), end, Buffer.from(comment)]);
}

function checksum(content) {
  if (crc32) return crc32(content);
  let crc = ~0;
  for (const byte of content) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

module.exports = { read, write };
