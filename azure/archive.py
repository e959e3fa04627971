"""Compares an extension with the folder that it was packed from: the archive itself, not what it unpacks to.

    archive.py IN.vsix FOLDER

Programs that unpack disagree about archives that say a thing twice. So there is one form: entries one behind the other
from the first byte to the directory, each known, none twice, nothing between them and nothing behind. The files are those
of FOLDER byte for byte, and the three that tfx writes say what FOLDER's manifest says and nothing besides.
"""

import json
import os
import stat
import struct
import sys
import zlib
from xml.etree import ElementTree

LOCAL = struct.Struct('<4s5H3I2H')
CENTRAL = struct.Struct('<4s6H3I5H2I')
END = struct.Struct('<4s4H2IH')
# File names are ASCII, so that this is the only flag that a packer may set: names are UTF-8.
UTF_8 = 0x800
STORED, DEFLATED = 0, 8

SCHEMA = '{http://schemas.microsoft.com/developer/vsx-schema/2011}'
DESIGN = '{http://schemas.microsoft.com/developer/vsx-schema-design/2011}'
TYPES = '{http://schemas.openxmlformats.org/package/2006/content-types}'
XML = '{http://www.w3.org/XML/1998/namespace}'
DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>'
CONTENT_TYPES = {
    '.png': 'image/png', '.js': 'application/javascript', '.json': 'application/json', '.md': 'text/markdown',
    '.exe': 'text/plain', '.vsixmanifest': 'text/xml', '.vsomanifest': 'application/json',
}

# What tfx asks the machine's `file` for where no extension says the type; no reader of the archive looks at it.
GUESSED = {
    'text/plain', 'application/octet-stream', 'application/x-executable', 'application/x-pie-executable',
    'application/x-sharedlib', 'application/x-dosexec', 'application/vnd.microsoft.portable-executable',
}


class Other(Exception):
    """The extension is not what was packed."""


def expect(holds, what):
    if not holds:
        raise Other(what)


def entries(archive):
    """Yields (name, is a folder, content) of each entry, and refuses every archive that can be read in two ways."""
    expect(len(archive) >= END.size, 'not an archive')
    magic, disk, start_disk, here, count, size, start, comment = END.unpack_from(archive, len(archive) - END.size)
    expect(magic == b'PK\5\6' and comment == 0, 'it does not end with its directory')
    expect(disk == start_disk == 0 and here == count, 'it has several parts')
    expect(start + size + END.size == len(archive), 'there is something between the directory and the end')
    at, offset = start, 0
    for _ in range(count):
        (magic, made_by, _, flags, method, _, _, crc, packed, length, name_length, extra, comment, disk, _, attributes,
         local) = CENTRAL.unpack_from(archive, at)
        name = archive[at + CENTRAL.size:at + CENTRAL.size + name_length]
        expect(magic == b'PK\1\2' and disk == 0, 'its directory is damaged')
        expect(extra == comment == 0, f'{name}: more about it than its name')
        expect(local == offset, f'{name}: there is something before it that the directory does not list')
        at += CENTRAL.size + name_length

        again = LOCAL.unpack_from(archive, offset)
        expect(again[0] == b'PK\3\4', f'{name}: it is not where the directory says')
        same = (again[2], again[3], again[6], again[7], again[8], again[9], again[10])
        expect(same == (flags, method, crc, packed, length, name_length, 0), f'{name}: it differs from the directory')
        offset += LOCAL.size
        expect(archive[offset:offset + name_length] == name, f'{name}: its name differs from the directory')
        offset += name_length
        content = archive[offset:offset + packed]
        offset += packed

        expect(flags & ~UTF_8 == 0 and name.isascii(), f'{name}: an entry of another kind')
        name = name.decode()
        kind = stat.S_IFMT(attributes >> 16) if made_by >> 8 == 3 else 0
        is_folder = name.endswith('/')
        expect(kind in (0, stat.S_IFDIR if is_folder else stat.S_IFREG), f'{name}: a link or another special file')
        yield name, is_folder, unpacked(name, method, content, length, crc)
    expect(at == start + size and offset == start, 'there is something that the directory does not list')


def unpacked(name, method, content, length, crc):
    expect(method in (STORED, DEFLATED), f'{name}: packed in another way')
    if method == DEFLATED:
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        content = stream.decompress(content, length + 1)
        expect(stream.eof and not stream.unused_data, f'{name}: damaged')
    expect(len(content) == length and zlib.crc32(content) == crc, f'{name}: damaged')
    return content


def tree(content):
    """An XML document as nested values that do not depend on the order of attributes or of siblings."""
    # Nothing but elements: no comments, no document types, no instructions.
    expect(content.startswith(DECLARATION), 'another XML declaration')
    expect(b'<!' not in content and content.count(b'<?') == 1, 'more than elements in an XML file')
    content.decode()

    def value(element):
        expect(not (element.tail or '').strip(), 'text between elements')
        return element.tag, sorted(element.attrib.items()), (element.text or '').strip(), sorted(map(value, element))
    return value(ElementTree.fromstring(content))


def element(tag, attributes=None, text='', children=()):
    return tag, sorted((attributes or {}).items()), text, sorted(children)


def vsixmanifest(manifest):
    """What tfx makes of the manifest."""
    def leaf(name, text, **attributes):
        return element(SCHEMA + name, attributes, text)

    def asset(kind, path):
        attributes = {'Type': f'Microsoft.VisualStudio.Services.{kind}', DESIGN + 'Source': 'File', 'Path': path, 'Addressable': 'true'}
        return element(f'{SCHEMA}Asset', attributes)

    identity = {'Language': 'en-US', 'Id': manifest['id'], 'Publisher': manifest['publisher'], 'Version': manifest['version']}
    links = [leaf('Property', '', Id=f'Microsoft.VisualStudio.Services.Links.{name.title()}', Value=link['uri'])
             for name, link in manifest['links'].items()]
    metadata = [
        element(f'{SCHEMA}Identity', identity),
        leaf('DisplayName', manifest['name']),
        element(f'{SCHEMA}Description', {f'{XML}space': 'preserve'}, manifest['description']),
        leaf('GalleryFlags', 'Public' if manifest['public'] else ''),
        leaf('Categories', ','.join(manifest['categories'])),
        leaf('Tags', ','.join(manifest['tags'])),
        element(f'{SCHEMA}Properties', children=links),
        leaf('Icon', manifest['icons']['default']),
        leaf('License', manifest['content']['license']['path']),
    ]
    assets = [
        asset('Icons.Default', manifest['icons']['default']),
        asset('Content.Details', manifest['content']['details']['path']),
        asset('Content.License', manifest['content']['license']['path']),
        asset('Manifest', 'extension.vsomanifest'),
    ]
    targets = [leaf('InstallationTarget', '', Id=target['id']) for target in manifest['targets']]
    return element(f'{SCHEMA}PackageManifest', {'Version': '2.0.0'}, children=[
        element(f'{SCHEMA}Metadata', children=metadata),
        element(f'{SCHEMA}Dependencies'),
        element(f'{SCHEMA}Installation', children=targets),
        element(f'{SCHEMA}Assets', children=assets),
    ])


def vsomanifest(manifest):
    return {
        'manifestVersion': manifest['manifestVersion'], 'contributions': manifest['contributions'],
        'scopes': manifest.get('scopes', []), 'contributionTypes': manifest.get('contributionTypes', []),
    }


def settled(types):
    """The content types, with `text/plain` wherever a type was guessed."""
    tag, attributes, text, children = types
    given = dict(attributes)
    if 'PartName' in given or given.get('Extension') == '.exe':
        expect(given.get('ContentType') in GUESSED, '[Content_Types].xml: says something else')
        given['ContentType'] = 'text/plain'
    return tag, sorted(given.items()), text, sorted(map(settled, children))


def content_types(names):
    known = [element(f'{TYPES}Default', {'Extension': kind, 'ContentType': of}) for kind, of in CONTENT_TYPES.items()]
    bare = [element(f'{TYPES}Override', {'PartName': f'/{name}', 'ContentType': 'text/plain'})
            for name in names if '.' not in name.rsplit('/', 1)[-1]]
    return element(f'{TYPES}Types', children=known + bare)


def strict_json(content):
    def once(pairs):
        expect(len({name for name, _ in pairs}) == len(pairs), 'a member twice in extension.vsomanifest')
        return dict(pairs)
    return json.loads(content.decode(), object_pairs_hook=once)


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def compare(archive, folder):
    manifest = json.loads(read(os.path.join(folder, 'vss-extension.json')))
    packed = [os.path.relpath(os.path.join(at, name), folder)
              for top in manifest['files'] for at, _, names in os.walk(os.path.join(folder, top['path'])) for name in names]
    pages = [manifest['content']['details']['path'], manifest['content']['license']['path'], manifest['icons']['default']]
    expected = {name: read(os.path.join(folder, name)) for name in packed + pages}
    made = {
        'extension.vsixmanifest': lambda content: tree(content) == vsixmanifest(manifest),
        'extension.vsomanifest': lambda content: strict_json(content) == vsomanifest(manifest),
        '[Content_Types].xml': lambda content: settled(tree(content)) == content_types([*packed, pages[1]]),
    }
    folders = {f'{at}/' for name in packed for at in parents(name)}
    seen = set()
    for name, is_folder, content in entries(archive):
        expect(name not in seen, f'{name}: there twice')
        seen.add(name)
        if is_folder:
            expect(name in folders and not content, f'{name}: not packed')
        elif name in made:
            expect(made[name](content), f'{name}: says something else')
        else:
            expect(name in expected, f'{name}: not packed')
            expect(content == expected[name], f'{name}: another content')
    missing = sorted({*expected, *made} - seen)
    expect(not missing, f'missing: {", ".join(missing)}')


def parents(name):
    parts = name.split('/')[:-1]
    return ['/'.join(parts[:end]) for end in range(1, len(parts) + 1)]


if __name__ == '__main__':
    try:
        compare(read(sys.argv[1]), sys.argv[2])
    except (Other, ValueError, struct.error, zlib.error, ElementTree.ParseError) as error:
        sys.exit(f'compare: {sys.argv[1]}: {error}')
