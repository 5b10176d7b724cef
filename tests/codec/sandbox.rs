//! The component in a wasmtime that was told to know no streams and futures.

use std::sync::LazyLock;

use wasmtime::{
    Config, Engine, Store, StoreLimits, StoreLimitsBuilder,
    component::{Component, Linker, ResourceAny, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::build::build;

/// What `bindgen!` makes of the WIT package.
#[allow(missing_docs, unreachable_pub, clippy::all)]
mod bindings {
    wasmtime::component::bindgen!({ world: "codec", path: "../wit/codec", additional_derives: [PartialEq] });
}

pub(crate) use bindings::exports::omnistorage::codec::{
    compression::{Codec, DecompressOptions},
    records::{Batch, CsvDialect, Encoding, Format, LengthPrefix, LineEnd, Validation},
    types::{Error, ErrorCode},
};

/// All of them.
pub(crate) const CODECS: &[Codec] = &[Codec::Gzip, Codec::Zstd, Codec::Snappy, Codec::Lz4];

/// A component in its store. A call that traps fails the test.
pub(crate) struct Sandbox {
    store: Store<State>,
    codec: bindings::Codec,
}

struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    limits: StoreLimits,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

type Result<T> = std::result::Result<T, Error>;

/// A resource through which bytes are pushed.
#[derive(Clone, Copy)]
pub(crate) enum Stream {
    Encoder(ResourceAny),
    Decoder(ResourceAny),
    Converter(ResourceAny),
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self::with_memory(usize::MAX)
    }

    /// With so many bytes of memory.
    pub(crate) fn with_memory(bytes: usize) -> Self {
        static TEMPLATE: LazyLock<bindings::CodecPre<State>> = LazyLock::new(|| {
            let mut config = Config::new();
            config.wasm_component_model_async(false);
            let engine = Engine::new(&config).unwrap();
            let component = Component::from_file(&engine, build("omnistorage-codec")).unwrap();
            let mut linker = Linker::new(&engine);
            wasmtime_wasi::p2::add_to_linker_sync(&mut linker).unwrap();
            bindings::CodecPre::new(linker.instantiate_pre(&component).unwrap()).unwrap()
        });
        let limits = StoreLimitsBuilder::new().memory_size(bytes).build();
        let state = State { table: ResourceTable::new(), wasi: WasiCtx::builder().build(), limits };
        let mut store = Store::new(TEMPLATE.engine(), state);
        store.limiter(|state| &mut state.limits);
        let codec = TEMPLATE.instantiate(&mut store).unwrap();
        Self { store, codec }
    }

    pub(crate) fn detect(&mut self, path: Option<&str>, head: &[u8]) -> Option<Codec> {
        self.codec.omnistorage_codec_compression().call_detect_codec(&mut self.store, path, head).unwrap()
    }

    pub(crate) fn compress(&mut self, data: &[u8], codec: Codec, level: Option<i32>) -> Result<Vec<u8>> {
        let interface = self.codec.omnistorage_codec_compression();
        interface.call_compress(&mut self.store, data, codec, level).unwrap()
    }

    pub(crate) fn decompress(&mut self, data: &[u8], options: DecompressOptions) -> Result<Vec<u8>> {
        self.codec.omnistorage_codec_compression().call_decompress(&mut self.store, data, options).unwrap()
    }

    pub(crate) fn encoder(&mut self, codec: Codec, level: Option<i32>) -> Result<Stream> {
        let interface = self.codec.omnistorage_codec_compression();
        interface.encoder().call_open(&mut self.store, codec, level).unwrap().map(Stream::Encoder)
    }

    pub(crate) fn decoder(&mut self, options: DecompressOptions) -> Result<Stream> {
        let interface = self.codec.omnistorage_codec_compression();
        interface.decoder().call_open(&mut self.store, options).unwrap().map(Stream::Decoder)
    }

    pub(crate) fn push(&mut self, stream: Stream, input: &[u8]) -> Result<Vec<u8>> {
        let (interface, store) = (self.codec.omnistorage_codec_compression(), &mut self.store);
        let records = self.codec.omnistorage_codec_records();
        match stream {
            Stream::Encoder(encoder) => interface.encoder().call_push(store, encoder, input),
            Stream::Decoder(decoder) => interface.decoder().call_push(store, decoder, input),
            Stream::Converter(converter) => records.converter().call_push(store, converter, input),
        }
        .unwrap()
    }

    pub(crate) fn finish(&mut self, stream: Stream) -> Result<Vec<u8>> {
        let (interface, store) = (self.codec.omnistorage_codec_compression(), &mut self.store);
        let records = self.codec.omnistorage_codec_records();
        match stream {
            Stream::Encoder(encoder) => interface.encoder().call_finish(store, encoder),
            Stream::Decoder(decoder) => interface.decoder().call_finish(store, decoder),
            Stream::Converter(converter) => records.converter().call_finish(store, converter),
        }
        .unwrap()
    }

    /// The whole through a stream, as the interface says to drive it. The pieces of output, none of them empty.
    pub(crate) fn drive<'a>(
        &mut self,
        stream: Stream,
        chunks: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Vec<Vec<u8>>> {
        let mut pieces = Vec::new();
        for mut chunk in chunks {
            loop {
                let piece = self.push(stream, chunk)?;
                if piece.is_empty() {
                    break;
                }
                pieces.push(piece);
                chunk = &[];
            }
        }
        loop {
            let piece = self.finish(stream)?;
            if piece.is_empty() {
                return Ok(pieces);
            }
            pieces.push(piece);
        }
    }

    pub(crate) fn format(&mut self, path: &str) -> Option<Format> {
        self.codec.omnistorage_codec_records().call_detect_format(&mut self.store, path).unwrap()
    }

    pub(crate) fn convert(&mut self, data: &[u8], source: &Encoding, target: &Encoding) -> Result<Vec<u8>> {
        let interface = self.codec.omnistorage_codec_records();
        interface.call_convert(&mut self.store, data, source, target).unwrap()
    }

    pub(crate) fn survey(&mut self, source: &Encoding, target: &Encoding) -> Result<Option<ResourceAny>> {
        let interface = self.codec.omnistorage_codec_records();
        interface.survey().call_open(&mut self.store, source, target).unwrap()
    }

    pub(crate) fn see(&mut self, survey: ResourceAny, input: &[u8]) -> Result<()> {
        self.codec.omnistorage_codec_records().survey().call_push(&mut self.store, survey, input).unwrap()
    }

    pub(crate) fn surveyed(&mut self, survey: ResourceAny) -> Result<Stream> {
        let interface = self.codec.omnistorage_codec_records();
        interface.survey().call_finish(&mut self.store, survey).unwrap().map(Stream::Converter)
    }

    pub(crate) fn converter(&mut self, source: &Encoding, target: &Encoding) -> Result<Stream> {
        let interface = self.codec.omnistorage_codec_records();
        interface.converter().call_open(&mut self.store, source, target).unwrap().map(Stream::Converter)
    }

    pub(crate) fn record_reader(&mut self, encoding: &Encoding) -> Result<ResourceAny> {
        let interface = self.codec.omnistorage_codec_records();
        interface.record_reader().call_open(&mut self.store, encoding).unwrap()
    }

    pub(crate) fn header(&mut self, reader: ResourceAny) -> Option<Vec<u8>> {
        let interface = self.codec.omnistorage_codec_records();
        interface.record_reader().call_header(&mut self.store, reader).unwrap()
    }

    pub(crate) fn read(&mut self, reader: ResourceAny, input: &[u8]) -> Result<Batch> {
        let interface = self.codec.omnistorage_codec_records();
        interface.record_reader().call_push(&mut self.store, reader, input).unwrap()
    }

    pub(crate) fn finish_reading(&mut self, reader: ResourceAny) -> Result<Batch> {
        let interface = self.codec.omnistorage_codec_records();
        interface.record_reader().call_finish(&mut self.store, reader).unwrap()
    }

    pub(crate) fn record_writer(&mut self, encoding: &Encoding) -> Result<ResourceAny> {
        let interface = self.codec.omnistorage_codec_records();
        interface.record_writer().call_open(&mut self.store, encoding).unwrap()
    }

    pub(crate) fn write(&mut self, writer: ResourceAny, records: &Batch) -> Result<Vec<u8>> {
        let interface = self.codec.omnistorage_codec_records();
        interface.record_writer().call_push(&mut self.store, writer, records).unwrap()
    }

    pub(crate) fn finish_writing(&mut self, writer: ResourceAny) -> Result<Vec<u8>> {
        let interface = self.codec.omnistorage_codec_records();
        interface.record_writer().call_finish(&mut self.store, writer).unwrap()
    }

    pub(crate) fn drop(&mut self, resource: ResourceAny) {
        resource.resource_drop(&mut self.store).unwrap();
    }
}
