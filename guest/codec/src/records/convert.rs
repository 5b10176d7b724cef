//! Converting records, in one pass or two.

use std::cell::RefCell;

use crate::{
    convert::{Converting, Passes, Surveying},
    error::error,
    exports::{
        records::{self as exports, Encoding, GuestConverter, GuestSurvey},
        types::{Error, ErrorCode},
    },
    stream::{Stream, finished},
};

/// The resource.
#[allow(unreachable_pub, reason = "it is named by a generated trait")]
pub struct Survey(RefCell<Result<Surveying, Error>>);

impl GuestSurvey for Survey {
    fn open(source: Encoding, target: Encoding) -> Result<Option<exports::Survey>, Error> {
        Ok(match Passes::between(source.try_into()?, target.try_into()?)? {
            Passes::Two(surveying) => Some(exports::Survey::new(Self(RefCell::new(Ok(surveying))))),
            Passes::One(_) => None,
        })
    }

    fn push(&self, input: Vec<u8>) -> Result<(), Error> {
        let mut state = self.0.borrow_mut();
        let surveying = state.as_mut().map_err(|why| why.clone())?;
        surveying.push(&input).inspect_err(|why| *state = Err(why.clone()))
    }

    fn finish(&self) -> Result<exports::Converter, Error> {
        let mut state = self.0.borrow_mut();
        let converting = std::mem::replace(&mut *state, Err(finished())).and_then(Surveying::finish);
        match converting {
            Ok(converting) => Ok(Converter::resource(converting)),
            Err(why) => {
                *state = Err(why.clone());
                Err(why)
            }
        }
    }
}

/// The resource.
#[allow(unreachable_pub, reason = "it is named by a generated trait")]
pub struct Converter(Stream<Converting>);

impl Converter {
    fn resource(converting: Converting) -> exports::Converter {
        exports::Converter::new(Self(Stream::new(converting)))
    }
}

impl GuestConverter for Converter {
    fn open(source: Encoding, target: Encoding) -> Result<exports::Converter, Error> {
        match Passes::between(source.try_into()?, target.try_into()?)? {
            Passes::One(converting) => Ok(Self::resource(converting)),
            Passes::Two(_) => {
                let why = "the columns of the target are not known: give them, or begin with a survey";
                Err(error(ErrorCode::InvalidArgument, why))
            }
        }
    }

    fn push(&self, input: Vec<u8>) -> Result<Vec<u8>, Error> {
        self.0.push(input)
    }

    fn finish(&self) -> Result<Vec<u8>, Error> {
        self.0.finish()
    }
}
