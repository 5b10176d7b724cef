//! Several requests in one: `multipart/mixed` there and back; see
//! [batching](https://cloud.google.com/storage/docs/batch).

use http::{HeaderMap, StatusCode, header};

/// The most requests of one.
pub(super) const MOST: usize = 100;

/// The boundary between the requests. They hold encoded keys, so it cannot occur in them.
const BOUNDARY: &str = "=-omnistorage";

/// What goes with the request that holds the others.
pub(super) fn content_type() -> String {
    format!("multipart/mixed; boundary=\"{BOUNDARY}\"")
}

/// The body of a request that deletes what is at these paths.
pub(super) fn deletions(paths: impl IntoIterator<Item = String>, user_project: Option<&str>) -> String {
    let payer = user_project.map_or(String::new(), |project| format!("x-goog-user-project: {project}\r\n"));
    let mut body = String::new();
    for (number, path) in paths.into_iter().enumerate() {
        body += &format!(
            "--{BOUNDARY}\r\nContent-Type: application/http\r\nContent-ID: <{number}>\r\n\r\n\
             DELETE {path} HTTP/1.1\r\n{payer}\r\n\r\n"
        );
    }
    body + &format!("--{BOUNDARY}--\r\n")
}

/// An answer to one of the requests.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    /// The number of the request, from 0 on.
    pub(super) number: usize,
    pub(super) status: StatusCode,
    pub(super) body: &'a str,
}

/// The answers, in whatever order they came. What cannot be understood is left out.
pub(super) fn answers<'a>(headers: &HeaderMap, body: &'a str) -> Vec<Part<'a>> {
    let Some(boundary) = headers.get(header::CONTENT_TYPE).and_then(|value| boundary(value.to_str().ok()?))
    else {
        return Vec::new();
    };
    body.split(&format!("--{boundary}")).filter_map(part).collect()
}

fn boundary(content_type: &str) -> Option<&str> {
    let parameter = content_type.split(';').find_map(|part| part.trim().strip_prefix("boundary="))?;
    Some(parameter.trim_matches('"'))
}

fn part(text: &str) -> Option<Part<'_>> {
    let (outer, inner) = text.trim_start().split_once("\r\n\r\n")?;
    let id = outer.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-id").then_some(value)
    })?;
    let number = id.trim().trim_start_matches('<').trim_end_matches('>').strip_prefix("response-")?;
    let (head, body) = inner.split_once("\r\n\r\n").unwrap_or((inner, ""));
    let status = head.lines().next()?.split(' ').nth(1)?;
    Some(Part { number: number.parse().ok()?, status: status.parse().ok()?, body: body.trim() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_written_one_after_the_other() {
        let body = deletions(["/a%2Fb".to_owned(), "/c".to_owned()], Some("p"));
        assert_eq!(
            body,
            "--=-omnistorage\r\nContent-Type: application/http\r\nContent-ID: <0>\r\n\r\n\
             DELETE /a%2Fb HTTP/1.1\r\nx-goog-user-project: p\r\n\r\n\r\n\
             --=-omnistorage\r\nContent-Type: application/http\r\nContent-ID: <1>\r\n\r\n\
             DELETE /c HTTP/1.1\r\nx-goog-user-project: p\r\n\r\n\r\n--=-omnistorage--\r\n"
        );
    }

    #[test]
    fn answers_come_in_any_order() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, "multipart/mixed; boundary=batch_x".parse().unwrap());
        let body = "--batch_x\r\nContent-Type: application/http\r\nContent-ID: <response-1>\r\n\r\n\
                    HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n\r\n\
                    --batch_x\r\nContent-Type: application/http\r\nContent-Id: <response-0>\r\n\r\n\
                    HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n\r\n{\"error\":{}}\r\n\r\n\
                    --batch_x\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\n\r\n\
                    --batch_x--";
        assert_eq!(
            answers(&headers, body),
            [
                Part { number: 1, status: StatusCode::NO_CONTENT, body: "" },
                Part { number: 0, status: StatusCode::NOT_FOUND, body: "{\"error\":{}}" },
            ]
        );
        assert!(answers(&HeaderMap::new(), body).is_empty());
    }
}
