//! What the environment says about traces, by the names of
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/> and
//! <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>.

use std::{str::FromStr, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use reqwest::Url;

use super::{context::Context, otlp::KeyValue};

/// How long a request may take, if nobody says.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where spans go, and which.
pub(super) struct Settings {
    pub(super) endpoint: Url,
    pub(super) encoding: Encoding,
    /// These may be secrets.
    pub(super) headers: HeaderMap,
    pub(super) timeout: Duration,
    pub(super) resource: Vec<KeyValue>,
    pub(super) sampler: Sampler,
}

/// How messages are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Protobuf,
    Json,
}

/// Which traces are recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sampler {
    Always,
    Never,
    /// This share of all.
    Ratio(f64),
    /// As the parent is; without one, as this says.
    Parent(Root),
}

/// Which traces without a parent are recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Root {
    Always,
    Never,
    Ratio(f64),
}

impl Settings {
    /// `None` if nobody asks for traces.
    ///
    /// # Errors
    /// What is asked for and cannot be, as a sentence.
    pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        // That for traces alone goes before that for everything.
        let of_traces = |name: &str| {
            let own = format!("OTEL_EXPORTER_OTLP_TRACES_{name}");
            let of_all = format!("OTEL_EXPORTER_OTLP_{name}");
            variable(&own)
                .map(|value| (own, value))
                .or_else(|| variable(&of_all).map(|value| (of_all, value)))
        };
        let is_off = variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
            || variable("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none");
        let Some((name, endpoint)) = of_traces("ENDPOINT").filter(|_| !is_off) else { return Ok(None) };
        if let Some(other) = variable("OTEL_TRACES_EXPORTER").filter(|exporter| exporter != "otlp") {
            return Err(format!(
                "`OTEL_TRACES_EXPORTER`: there is no exporter `{other}`: `otlp` and `none` are known"
            ));
        }
        let encoding = match of_traces("PROTOCOL") {
            None => Encoding::Protobuf,
            Some((_, protocol)) if protocol == "http/protobuf" => Encoding::Protobuf,
            Some((_, protocol)) if protocol == "http/json" => Encoding::Json,
            Some((name, _)) => return Err(format!("`{name}`: `http/protobuf` and `http/json` are spoken")),
        };
        let timeout = match of_traces("TIMEOUT") {
            None => TIMEOUT,
            Some((name, value)) => {
                let parsed = value.parse().map_err(|_| format!("`{name}` is no number of milliseconds"))?;
                Duration::from_millis(parsed)
            }
        };
        Ok(Some(Self {
            endpoint: endpoint_of(&name, &endpoint)?,
            encoding,
            headers: of_traces("HEADERS")
                .map_or_else(|| Ok(HeaderMap::new()), |(name, value)| headers(&name, &value))?,
            timeout,
            resource: resource(&variable)?,
            sampler: sampler(&variable)?,
        }))
    }
}

/// The address of the traces: that of everything gets a path behind it.
fn endpoint_of(name: &str, value: &str) -> Result<Url, String> {
    let is_of_all = name == "OTEL_EXPORTER_OTLP_ENDPOINT";
    let value =
        if is_of_all { format!("{}/v1/traces", value.trim_end_matches('/')) } else { value.to_owned() };
    // The value may hold a password.
    let url =
        Url::parse(&value).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| format!("`{name}` is no URL with `http://` or `https://`"))
}

/// Pairs as `key=value,other=value`, whose values are percent-encoded.
fn pairs(name: &str, text: &str) -> Result<Vec<(String, String)>, String> {
    let malformed = || format!("`{name}` is not written as `key=value,key=value`");
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').ok_or_else(malformed)?;
        let value = percent_decode_str(value.trim()).decode_utf8().map_err(|_| malformed())?;
        Ok((key.trim().to_owned(), value.into_owned()))
    };
    text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(pair).collect()
}

fn headers(name: &str, text: &str) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (key, value) in pairs(name, text)? {
        let invalid = |_| format!("`{name}` has what cannot be a header");
        let mut value = HeaderValue::from_str(&value).map_err(|_| invalid(()))?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_str(&key).map_err(|_| invalid(()))?, value);
    }
    Ok(headers)
}

/// What is said about this program.
fn resource(variable: &impl Fn(&str) -> Option<String>) -> Result<Vec<KeyValue>, String> {
    let name = "OTEL_RESOURCE_ATTRIBUTES";
    let mut known = vec![("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned())];
    known.extend(pairs(name, &variable(name).unwrap_or_default())?);
    let is_named = known.iter().any(|(key, _)| key == "service.name");
    let service = variable("OTEL_SERVICE_NAME").or_else(|| (!is_named).then(|| "omnistorage".to_owned()));
    if let Some(service) = service {
        known.push(("service.name".to_owned(), service));
    }
    // What was said last counts.
    let mut resource: Vec<KeyValue> = Vec::new();
    for (key, value) in known {
        resource.retain(|known| known.key != key);
        resource.push(KeyValue::text(&key, value));
    }
    Ok(resource)
}

fn sampler(variable: &impl Fn(&str) -> Option<String>) -> Result<Sampler, String> {
    let ratio = || match variable("OTEL_TRACES_SAMPLER_ARG") {
        None => Ok(1.0),
        Some(text) => text
            .parse()
            .ok()
            .filter(|ratio| (0.0..=1.0).contains(ratio))
            .ok_or("`OTEL_TRACES_SAMPLER_ARG` is no number from 0 to 1"),
    };
    Ok(match variable("OTEL_TRACES_SAMPLER").as_deref() {
        Some("always_on") => Sampler::Always,
        Some("always_off") => Sampler::Never,
        Some("traceidratio") => Sampler::Ratio(ratio()?),
        None | Some("parentbased_always_on") => Sampler::Parent(Root::Always),
        Some("parentbased_always_off") => Sampler::Parent(Root::Never),
        Some("parentbased_traceidratio") => Sampler::Parent(Root::Ratio(ratio()?)),
        Some(other) => return Err(format!("`OTEL_TRACES_SAMPLER`: there is no sampler `{other}`")),
    })
}

impl Sampler {
    /// Whether a trace is recorded.
    pub(super) fn takes(self, context: &Context) -> bool {
        match self {
            Self::Parent(_) if context.parent.is_some() => context.is_parent_sampled,
            Self::Always | Self::Parent(Root::Always) => true,
            Self::Never | Self::Parent(Root::Never) => false,
            Self::Ratio(ratio) | Self::Parent(Root::Ratio(ratio)) => is_among(ratio, &context.trace),
        }
    }
}

/// The same traces everywhere: by the last 63 bits but one of their number.
fn is_among(ratio: f64, trace: &[u8; 16]) -> bool {
    let mut last = [0; 8];
    last.copy_from_slice(&trace[8..]);
    ((u64::from_be_bytes(last) >> 1) as f64) < ratio * (1_u64 << 63) as f64
}

#[cfg(test)]
mod tests {
    use super::{
        super::otlp::{AnyValue, Value},
        *,
    };

    fn read(variables: &[(&str, &str)]) -> Result<Option<Settings>, String> {
        Settings::read(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1]:4318/");

    #[test]
    fn nothing_is_sent_unless_a_collector_is_named() {
        assert!(read(&[]).unwrap().is_none());
        assert!(read(&[("OTEL_SERVICE_NAME", "x"), ("OTEL_TRACES_EXPORTER", "otlp")]).unwrap().is_none());
        assert!(read(&[ENDPOINT, ("OTEL_SDK_DISABLED", "True")]).unwrap().is_none());
        assert!(read(&[ENDPOINT, ("OTEL_TRACES_EXPORTER", "none")]).unwrap().is_none());
        assert!(read(&[ENDPOINT]).unwrap().is_some());
    }

    #[test]
    fn what_is_for_traces_goes_before_what_is_for_all() {
        let all = read(&[ENDPOINT]).unwrap().unwrap();
        assert_eq!(all.endpoint.as_str(), "http://[::1]:4318/v1/traces");
        assert_eq!((all.encoding, all.timeout), (Encoding::Protobuf, TIMEOUT));
        let own = read(&[
            ENDPOINT,
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://traces/"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%2Cb, x = y"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "50"),
        ]);
        let own = own.unwrap().unwrap();
        assert_eq!((own.endpoint.as_str(), own.encoding), ("https://traces/", Encoding::Json));
        assert_eq!(
            (own.headers["api-key"].to_str().unwrap(), own.headers["x"].to_str().unwrap()),
            ("a,b", "y")
        );
        assert_eq!(own.timeout, Duration::from_millis(50));
    }

    #[test]
    fn a_program_is_called_what_the_environment_says() {
        let names = |variables: &[(&str, &str)]| {
            let settings = read(&[&[ENDPOINT], variables].concat()).unwrap().unwrap();
            let text = |value: Option<AnyValue>| match value.unwrap().value.unwrap() {
                Value::Text(text) => text,
                Value::Number(number) => number.to_string(),
            };
            let mut known: Vec<_> =
                settings.resource.into_iter().map(|KeyValue { key, value }| (key, text(value))).collect();
            known.retain(|(key, _)| key != "service.version");
            known
        };
        let pairs = |known: &[(&str, &str)]| {
            known.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(names(&[]), pairs(&[("service.name", "omnistorage")]));
        let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,host.name=b%20c");
        assert_eq!(names(&[attributes]), pairs(&[("service.name", "a"), ("host.name", "b c")]));
        let named = names(&[attributes, ("OTEL_SERVICE_NAME", "d")]);
        assert_eq!(named, pairs(&[("host.name", "b c"), ("service.name", "d")]));
    }

    #[test]
    fn what_cannot_be_is_said_without_its_secrets() {
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "me:hush@collector"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://me:hush@collector"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "hush"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "hush"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a b=hush"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=hush%0A"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "hush"),
            ("OTEL_RESOURCE_ATTRIBUTES", "hush"),
            ("OTEL_TRACES_SAMPLER", "sometimes"),
        ] {
            let why = read(&[(name, value), ENDPOINT]).err().unwrap();
            assert!(why.contains(name) && !why.contains("hush"), "{why}");
        }
        for ratio in ["2", "-0.1", "NaN", "x"] {
            let sampler = ("OTEL_TRACES_SAMPLER", "traceidratio");
            assert!(read(&[ENDPOINT, sampler, ("OTEL_TRACES_SAMPLER_ARG", ratio)]).is_err(), "{ratio}");
        }
    }

    #[test]
    fn traces_are_recorded_as_their_parents_are_or_by_their_share() {
        let of = |parent: Option<&str>| Context::new(parent, None);
        let sampled = of(Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        let unsampled = of(Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"));
        for root in [Root::Always, Root::Never, Root::Ratio(0.5)] {
            assert!(Sampler::Parent(root).takes(&sampled) && !Sampler::Parent(root).takes(&unsampled));
        }
        assert!(
            Sampler::Parent(Root::Always).takes(&of(None)) && !Sampler::Parent(Root::Never).takes(&of(None))
        );
        assert!(Sampler::Always.takes(&unsampled) && !Sampler::Never.takes(&sampled));
        let taken = |ratio: f64| (0..10_000).filter(|_| Sampler::Ratio(ratio).takes(&of(None))).count();
        assert_eq!((taken(0.0), taken(1.0)), (0, 10_000));
        assert!((2_000..3_000).contains(&taken(0.25)));
    }
}
