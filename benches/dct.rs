//! What users wait for: canonical JSON, verification and one more signature in large collections.

#[allow(
    unreachable_pub,
    reason = "shared with the memory test and the fuzz targets"
)]
mod collection;

use std::hint::black_box;

use acr_sign::format::{dct::canonical, json};
use criterion::{Criterion, criterion_group, criterion_main};

use self::collection::Collection;

fn large_collections(criterion: &mut Criterion) {
    for count in [2_000, 60_000] {
        let Some(collection) = Collection::new(count) else {
            continue;
        };
        let Some(bytes) = collection.files.get("targets") else {
            continue;
        };
        let mut group = criterion.benchmark_group(format!("{count} tags"));
        group.sample_size(10);
        group.bench_function("canonical JSON", |bench| {
            bench.iter(|| {
                json::parse_exact(black_box(bytes)).map(|value| canonical::canonical(&value).len())
            });
        });
        group.bench_function("verify", |bench| {
            bench.iter(|| black_box(collection.load()).is_some())
        });
        group.bench_function("sign one more tag", |bench| {
            bench.iter(|| black_box(collection.sign_one_more()))
        });
        group.finish();
    }
}

criterion_group!(benches, large_collections);
criterion_main!(benches);
