//! CBOR, item by item.

pub fn head(major: u8, number: u64) -> Vec<u8> {
    let major = major << 5;
    match number {
        0..24 => vec![major | number as u8],
        24..0x100 => vec![major | 24, number as u8],
        0x100..0x1_0000 => [&[major | 25][..], &(number as u16).to_be_bytes()].concat(),
        _ => [&[major | 26][..], &(number as u32).to_be_bytes()].concat(),
    }
}

pub fn int(number: i64) -> Vec<u8> {
    if number < 0 {
        head(1, (-1 - number) as u64)
    } else {
        head(0, number as u64)
    }
}

pub fn bytes(content: &[u8]) -> Vec<u8> {
    [head(2, content.len() as u64), content.to_vec()].concat()
}

pub fn text(content: &str) -> Vec<u8> {
    [head(3, content.len() as u64), content.as_bytes().to_vec()].concat()
}

pub fn array(items: &[Vec<u8>]) -> Vec<u8> {
    [head(4, items.len() as u64), items.concat()].concat()
}

pub fn map(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let items = entries
        .iter()
        .map(|(label, value)| [label.clone(), value.clone()].concat());
    [
        head(5, entries.len() as u64),
        items.collect::<Vec<_>>().concat(),
    ]
    .concat()
}

pub fn epoch(seconds: i64) -> Vec<u8> {
    [vec![0xc1], int(seconds)].concat()
}
