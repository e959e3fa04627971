//! ECDSA signatures between their two forms: r‖s padded to the curve's size, and the DER of X.509
//! (K03).

use der::{Decode as _, Encode as _, asn1::UintRef};

use super::KeyKind;

#[derive(der::Sequence)]
struct EcdsaSignature<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

/// DER from r‖s; `None` if the length fits no curve.
pub fn ecdsa_to_der(signature: &[u8]) -> Option<Vec<u8>> {
    let (r, s) = signature.split_at_checked(signature.len() / 2)?;
    if r.len() != s.len() || r.is_empty() {
        return None;
    }
    EcdsaSignature {
        r: UintRef::new(r).ok()?,
        s: UintRef::new(s).ok()?,
    }
    .to_der()
    .ok()
}

/// r‖s from strict DER; `None` if it is not, or too long for the curve.
pub fn ecdsa_from_der(kind: KeyKind, der: &[u8]) -> Option<Vec<u8>> {
    let length = kind.coordinate_length()?;
    let signature = EcdsaSignature::from_der(der).ok()?;
    let mut raw = Vec::with_capacity(2 * length);
    for number in [signature.r.as_bytes(), signature.s.as_bytes()] {
        raw.resize(raw.len() + length.checked_sub(number.len())?, 0);
        raw.extend_from_slice(number);
    }
    Some(raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k03_forms_convert_both_ways() {
        let mut raw = vec![0; 64];
        raw[31] = 0x80;
        raw[63] = 1;
        let der = ecdsa_to_der(&raw).unwrap();
        assert_eq!(der, [0x30, 7, 2, 2, 0, 0x80, 2, 1, 1]);
        assert_eq!(ecdsa_from_der(KeyKind::EcP256, &der).unwrap(), raw);
        assert_eq!(
            ecdsa_from_der(KeyKind::EcP256, &[0x30, 8, 2, 2, 0, 0x80, 2, 2, 0, 1]),
            None
        );
        assert_eq!(ecdsa_from_der(KeyKind::EcP256, &raw), None);
        assert_eq!(ecdsa_to_der(&raw[..63]), None);
    }
}
