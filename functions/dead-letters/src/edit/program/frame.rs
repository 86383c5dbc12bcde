//! What the tool and the process of its jq program send to each other: texts with their lengths before them.

use std::io::{self, ErrorKind, Read, Write};

use crate::claimed_body;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The longest text, in bytes: an output or a body, and what is said beside it.
const MOST_BYTES: usize = claimed_body::MOST_BYTES as usize + 64 * 1_024;

/// An answer: an output, or a cause.
pub(super) type Answer = Result<String, String>;

fn header(text: &str) -> io::Result<[u8; 4]> {
    let length = u32::try_from(text.len()).ok().filter(|_| text.len() <= MOST_BYTES);
    length.map(u32::to_be_bytes).ok_or_else(|| ErrorKind::FileTooLarge.into())
}

fn length(header: [u8; 4]) -> io::Result<usize> {
    let length = usize::try_from(u32::from_be_bytes(header)).ok();
    length.filter(|length| *length <= MOST_BYTES).ok_or_else(|| ErrorKind::FileTooLarge.into())
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|_| ErrorKind::InvalidData.into())
}

pub(super) fn write(to: &mut impl Write, text: &str) -> io::Result<()> {
    to.write_all(&header(text)?)?;
    to.write_all(text.as_bytes())?;
    to.flush()
}

/// `None` at the end.
pub(super) fn read(from: &mut impl Read) -> io::Result<Option<String>> {
    let mut header = [0; 4];
    match from.read_exact(&mut header) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let mut bytes = vec![0; length(header)?];
    from.read_exact(&mut bytes)?;
    text(bytes).map(Some)
}

pub(super) async fn send(to: &mut (impl AsyncWrite + Unpin), text: &str) -> io::Result<()> {
    to.write_all(&header(text)?).await?;
    to.write_all(text.as_bytes()).await?;
    to.flush().await
}

pub(super) async fn receive(from: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut header = [0; 4];
    from.read_exact(&mut header).await?;
    let mut bytes = vec![0; length(header)?];
    from.read_exact(&mut bytes).await?;
    text(bytes)
}

/// An answer as a text: its first character says which one it is.
pub(super) fn of_answer(answer: &Answer) -> String {
    match answer {
        Ok(output) => format!("+{output}"),
        Err(cause) => format!("-{cause}"),
    }
}

pub(super) fn to_answer(text: &str) -> io::Result<Answer> {
    match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(output), _) => Ok(Ok(output.to_owned())),
        (_, Some(cause)) => Ok(Err(cause.to_owned())),
        _ => Err(ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_written_is_read_by_either_side() {
        let answers = [Ok("{\"ü\":1}".to_owned()), Err(String::new())];
        let mut bytes = Vec::new();
        for answer in &answers {
            write(&mut bytes, &of_answer(answer)).unwrap();
        }
        let (mut one, mut other) = (bytes.as_slice(), bytes.as_slice());
        for answer in answers {
            let read = read(&mut one).unwrap().unwrap();
            assert_eq!(to_answer(&read).unwrap(), answer);
            assert_eq!(receive(&mut other).await.unwrap(), read);
        }
        assert_eq!(read(&mut one).unwrap(), None);
        assert!(receive(&mut other).await.is_err());
        let mut sent = Vec::new();
        send(&mut sent, "+x").await.unwrap();
        assert_eq!(read(&mut sent.as_slice()).unwrap().as_deref(), Some("+x"));
    }

    #[test]
    fn no_more_is_read_than_a_text_may_have() {
        assert!(read(&mut &[255, 255, 255, 255, 0][..]).is_err());
        assert!(to_answer("x").is_err() && to_answer("").is_err());
    }
}
