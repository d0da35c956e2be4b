//! A sound device of ALSA: samples out, at the device's own pace.
//!
//! alsa-lib is looked for when it is needed (`libasound.so.2`, as every desktop and the Raspberry
//! Pi's system has it), not when the program is built: a box without sound needs nothing installed,
//! and says so when it is asked for sound. Knows no ticket and no announcement.

use libloading::{Library, Symbol};
use std::ffi::{CStr, CString, c_char, c_int, c_long, c_uint, c_ulong, c_void};
use std::fmt;
use std::ptr::NonNull;
use std::time::Duration;

/// The library with its version of the interface, unchanged since 1998.
const LIBRARY: &str = "libasound.so.2";

/// What the device's buffer holds: so long may a busy processor leave the player alone, and nothing is
/// heard of it. alsa-lib makes four periods of it. Who has written so much more has been heard.
pub const BUFFER: Duration = Duration::from_millis(240);

/// The device begins with this much in its buffer, and silence fills it no further: what follows
/// silence is heard so late at most, within the 150 ms that a chime may take. Longer than a period
/// and the 40 ms between two looks after it, since some devices tell where they are by periods.
const AHEAD: Duration = Duration::from_millis(100);

/// Left and right: monitors take no single channel.
const CHANNELS: usize = 2;

// From <alsa/pcm.h>.
const STREAM_PLAYBACK: c_int = 0;
const OPEN_NONBLOCK: c_int = 1;
const FORMAT_S16_LE: c_int = 2;
const ACCESS_RW_INTERLEAVED: c_int = 3;

// From <asm-generic/errno-base.h>.
const EAGAIN: c_long = -11;
const EBUSY: c_int = -16;

/// Attempts to go on after an underrun before the device counts as lost.
const RECOVERIES: u32 = 5;

/// Why nothing can be heard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AlsaError {
    /// alsa-lib is not installed.
    #[error("alsa-lib is missing ({0}): install libasound2")]
    NoLibrary(String),
    /// The device cannot be used.
    #[error("sound device {device}: cannot {action}: {problem}")]
    Device {
        device: String,
        action: &'static str,
        problem: String,
    },
}

type Pcm = NonNull<c_void>;

/// The functions of alsa-lib that are used, as <alsa/pcm.h> declares them.
struct Functions {
    open: unsafe extern "C" fn(*mut *mut c_void, *const c_char, c_int, c_int) -> c_int,
    close: unsafe extern "C" fn(*mut c_void) -> c_int,
    nonblock: unsafe extern "C" fn(*mut c_void, c_int) -> c_int,
    set_params:
        unsafe extern "C" fn(*mut c_void, c_int, c_int, c_uint, c_uint, c_int, c_uint) -> c_int,
    writei: unsafe extern "C" fn(*mut c_void, *const c_void, c_ulong) -> c_long,
    avail_update: unsafe extern "C" fn(*mut c_void) -> c_long,
    recover: unsafe extern "C" fn(*mut c_void, c_int, c_int) -> c_int,
    get_params: unsafe extern "C" fn(*mut c_void, *mut c_ulong, *mut c_ulong) -> c_int,
    drain: unsafe extern "C" fn(*mut c_void) -> c_int,
    drop: unsafe extern "C" fn(*mut c_void) -> c_int,
    sw_malloc: unsafe extern "C" fn(*mut *mut c_void) -> c_int,
    sw_free: unsafe extern "C" fn(*mut c_void),
    sw_current: unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int,
    sw_boundary: unsafe extern "C" fn(*mut c_void, *mut c_ulong) -> c_int,
    sw_start: unsafe extern "C" fn(*mut c_void, *mut c_void, c_ulong) -> c_int,
    sw_silence_threshold: unsafe extern "C" fn(*mut c_void, *mut c_void, c_ulong) -> c_int,
    sw_silence_size: unsafe extern "C" fn(*mut c_void, *mut c_void, c_ulong) -> c_int,
    sw_set: unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int,
    strerror: unsafe extern "C" fn(c_int) -> *const c_char,
    forget: unsafe extern "C" fn() -> c_int,
    /// Keeps the code above where it is.
    _library: Library,
}

impl Functions {
    fn load() -> Result<Self, AlsaError> {
        let none = |e: libloading::Error| AlsaError::NoLibrary(e.to_string());
        // SAFETY: alsa-lib's initialisation has no conditions, and its interface is versioned by
        // the name of the file; the types above are those of its header.
        #[allow(unsafe_code)]
        unsafe {
            let library = Library::new(LIBRARY).map_err(none)?;
            /// A function by its name, with the type of where it goes.
            unsafe fn find<T: Copy>(library: &Library, name: &str) -> Result<T, libloading::Error> {
                // SAFETY: the caller names a function of the type.
                let found: Symbol<'_, T> = unsafe { library.get(name.as_bytes()) }?;
                Ok(*found)
            }
            Ok(Self {
                open: find(&library, "snd_pcm_open").map_err(none)?,
                close: find(&library, "snd_pcm_close").map_err(none)?,
                nonblock: find(&library, "snd_pcm_nonblock").map_err(none)?,
                set_params: find(&library, "snd_pcm_set_params").map_err(none)?,
                writei: find(&library, "snd_pcm_writei").map_err(none)?,
                avail_update: find(&library, "snd_pcm_avail_update").map_err(none)?,
                recover: find(&library, "snd_pcm_recover").map_err(none)?,
                get_params: find(&library, "snd_pcm_get_params").map_err(none)?,
                drain: find(&library, "snd_pcm_drain").map_err(none)?,
                drop: find(&library, "snd_pcm_drop").map_err(none)?,
                sw_malloc: find(&library, "snd_pcm_sw_params_malloc").map_err(none)?,
                sw_free: find(&library, "snd_pcm_sw_params_free").map_err(none)?,
                sw_current: find(&library, "snd_pcm_sw_params_current").map_err(none)?,
                sw_boundary: find(&library, "snd_pcm_sw_params_get_boundary").map_err(none)?,
                sw_start: find(&library, "snd_pcm_sw_params_set_start_threshold").map_err(none)?,
                sw_silence_threshold: find(&library, "snd_pcm_sw_params_set_silence_threshold")
                    .map_err(none)?,
                sw_silence_size: find(&library, "snd_pcm_sw_params_set_silence_size")
                    .map_err(none)?,
                sw_set: find(&library, "snd_pcm_sw_params").map_err(none)?,
                strerror: find(&library, "snd_strerror").map_err(none)?,
                forget: find(&library, "snd_config_update_free_global").map_err(none)?,
                _library: library,
            })
        }
    }
}

/// One device, for one thread at a time.
pub struct Alsa {
    device: String,
    rate: u32,
    functions: Option<Functions>,
    pcm: Option<Pcm>,
    /// Left and right of what is written next.
    frames: Vec<i16>,
}

// SAFETY: alsa-lib's handles may be used from any thread, one at a time, and `&mut self` sees to it.
#[allow(unsafe_code)]
unsafe impl Send for Alsa {}

impl fmt::Debug for Alsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alsa")
            .field("device", &self.device)
            .field("open", &self.pcm.is_some())
            .finish_non_exhaustive()
    }
}

impl Alsa {
    /// Names a device as `aplay -L` does, and samples a second. Opens nothing yet.
    #[must_use]
    pub fn new(device: &str, rate: u32) -> Self {
        Self {
            device: device.to_owned(),
            rate,
            functions: None,
            pcm: None,
            frames: Vec::new(),
        }
    }

    /// Opens the device; nothing happens where it is open.
    ///
    /// # Errors
    /// [`AlsaError`] when there is no library, no such device, or another program has it.
    pub fn open(&mut self) -> Result<(), AlsaError> {
        if self.pcm.is_some() {
            return Ok(());
        }
        let pcm = self.open_handle()?;
        self.pcm = Some(pcm);
        let (device, rate) = (self.device.clone(), self.rate);
        let functions = self.functions()?;
        let latency = c_uint::try_from(BUFFER.as_micros()).unwrap_or(c_uint::MAX);
        #[allow(clippy::cast_possible_truncation)] // two
        let channels = CHANNELS as c_uint;
        // SAFETY: the handle was opened by the same library and not closed since.
        #[allow(unsafe_code)]
        let code = unsafe {
            (functions.nonblock)(pcm.as_ptr(), 0);
            (functions.set_params)(
                pcm.as_ptr(),
                FORMAT_S16_LE,
                ACCESS_RW_INTERLEAVED,
                channels,
                rate,
                1, // alsa-lib may change the rate for the device
                latency,
            )
        };
        if code < 0 {
            let error = error(&device, functions, "set it up", code);
            self.close();
            return Err(error);
        }
        set_params(functions, pcm, ahead(rate).min(buffer(functions, pcm)));
        Ok(())
    }

    /// Looks whether the device is there, without sound. Another program that uses it is no trouble.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn check(&mut self) -> Result<(), AlsaError> {
        if self.pcm.is_none() {
            self.probe()?;
        }
        Ok(())
    }

    /// Opens a handle that stays open.
    fn open_handle(&mut self) -> Result<Pcm, AlsaError> {
        let (opened, code) = self.try_open()?;
        opened.ok_or_else(|| self.not_opened(code))
    }

    /// Opens a handle and closes it at once.
    fn probe(&mut self) -> Result<(), AlsaError> {
        let (opened, code) = self.try_open()?;
        if let Some(pcm) = opened {
            let functions = self.functions()?;
            // SAFETY: opened just now, and nobody else has it.
            #[allow(unsafe_code)]
            unsafe {
                (functions.close)(pcm.as_ptr());
            }
        }
        if opened.is_some() || code == EBUSY {
            Ok(())
        } else {
            Err(self.not_opened(code))
        }
    }

    /// A handle, if there is one, and what the library answered.
    fn try_open(&mut self) -> Result<(Option<Pcm>, c_int), AlsaError> {
        let name = CString::new(self.device.as_str()).unwrap_or_default();
        let functions = self.functions()?;
        let mut handle = std::ptr::null_mut();
        // SAFETY: the name ends with a zero, and the handle is written or left null.
        #[allow(unsafe_code)]
        let code = unsafe {
            (functions.open)(
                &raw mut handle,
                name.as_ptr(),
                STREAM_PLAYBACK,
                OPEN_NONBLOCK,
            )
        };
        Ok((NonNull::new(handle).filter(|_| code >= 0), code))
    }

    /// Why a handle cannot be had.
    fn not_opened(&mut self, code: c_int) -> AlsaError {
        let device = self.device.clone();
        let functions = match self.functions() {
            Ok(functions) => functions,
            Err(error) => return error,
        };
        let error = error(&device, functions, "open it", code);
        // Cards that came or went change what names mean: read it anew the next time.
        // SAFETY: no other thread uses alsa-lib.
        #[allow(unsafe_code)]
        unsafe {
            (functions.forget)();
        }
        error
    }

    /// Plays samples of one channel, on both. Blocks while the device's buffer is full.
    ///
    /// # Errors
    /// [`AlsaError::Device`] when the device is gone; it is closed then.
    pub fn write(&mut self, samples: &[i16]) -> Result<(), AlsaError> {
        self.open()?;
        self.frames.clear();
        for sample in samples {
            self.frames.extend([*sample; CHANNELS]);
        }
        let (Some(pcm), Some(functions)) = (self.pcm, &self.functions) else {
            return Ok(());
        };
        let mut at = 0;
        let mut recoveries = 0;
        while at < self.frames.len() {
            let rest = &self.frames[at..];
            // SAFETY: the handle is open, and `rest` holds as many frames as are told.
            #[allow(unsafe_code)]
            let written = unsafe {
                (functions.writei)(
                    pcm.as_ptr(),
                    rest.as_ptr().cast(),
                    (rest.len() / CHANNELS) as c_ulong,
                )
            };
            if let Ok(frames) = usize::try_from(written) {
                at += frames * CHANNELS;
                recoveries = 0;
                continue;
            }
            let code = c_int::try_from(written).unwrap_or(c_int::MIN);
            recoveries += 1;
            // An underrun while the next sentence was made: silence was heard, and it goes on.
            // SAFETY: the handle is open.
            #[allow(unsafe_code)]
            let recovered = unsafe { (functions.recover)(pcm.as_ptr(), code, 1) };
            if recovered < 0 || recoveries > RECOVERIES {
                let error = error(&self.device, functions, "play", code);
                self.close();
                return Err(error);
            }
        }
        Ok(())
    }

    /// Adds silence where less than a tenth of a second waits in the device, so that it goes on
    /// playing.
    ///
    /// # Errors
    /// [`AlsaError::Device`] when the device is gone; it is closed then.
    pub fn silence(&mut self) -> Result<(), AlsaError> {
        self.open()?;
        let (Some(pcm), Some(functions)) = (self.pcm, &self.functions) else {
            return Ok(());
        };
        let buffer = buffer(functions, pcm);
        let ahead = ahead(self.rate).min(buffer);
        // SAFETY: the handle is open.
        #[allow(unsafe_code)]
        let room = unsafe { (functions.avail_update)(pcm.as_ptr()) };
        let missing = match usize::try_from(room) {
            Ok(room) => ahead.saturating_sub(buffer.saturating_sub(room)).min(room),
            Err(_) if room == EAGAIN => 0,
            // What is wrong with it shows, and is mended, when it is written to: an underrun then
            // begins with as much as ever.
            Err(_) => ahead,
        };
        self.write(&vec![0; missing])
    }

    /// Waits until all was heard, and lets the device go.
    ///
    /// # Errors
    /// [`AlsaError::Device`] when the device is gone.
    pub fn drain(&mut self) -> Result<(), AlsaError> {
        let (Some(pcm), Some(functions)) = (self.pcm, &self.functions) else {
            return Ok(());
        };
        // SAFETY: the handle is open.
        #[allow(unsafe_code)]
        let code = unsafe { (functions.drain)(pcm.as_ptr()) };
        let result = if code < 0 {
            Err(error(&self.device, functions, "play to the end", code))
        } else {
            Ok(())
        };
        self.close();
        result
    }

    /// Lets the device go at once; what it had not played yet is not heard.
    pub fn close(&mut self) {
        let (Some(pcm), Some(functions)) = (self.pcm.take(), &self.functions) else {
            return;
        };
        // SAFETY: the handle is open, and nobody has it after this.
        #[allow(unsafe_code)]
        unsafe {
            (functions.drop)(pcm.as_ptr());
            (functions.close)(pcm.as_ptr());
        }
    }

    /// The library, looked for until it is there: it may be installed while the program runs.
    fn functions(&mut self) -> Result<&Functions, AlsaError> {
        let loaded = match self.functions.take() {
            Some(loaded) => loaded,
            None => Functions::load()?,
        };
        Ok(self.functions.insert(loaded))
    }
}

impl Drop for Alsa {
    fn drop(&mut self) {
        self.close();
    }
}

/// Has the device begin with `ahead` frames, and its buffer cleared behind what was played: otherwise,
/// when nothing follows in time, it plays old samples again until it is told to stop. A device that
/// cannot do so begins when its buffer is full, and plays on.
fn set_params(functions: &Functions, pcm: Pcm, ahead: usize) {
    let mut parameters = std::ptr::null_mut();
    let mut boundary = 0;
    // SAFETY: the handle is open; the parameters are alsa-lib's own, and freed after their use.
    #[allow(unsafe_code)]
    unsafe {
        if (functions.sw_malloc)(&raw mut parameters) < 0 || parameters.is_null() {
            return;
        }
        if (functions.sw_current)(pcm.as_ptr(), parameters) >= 0
            && (functions.sw_boundary)(parameters, &raw mut boundary) >= 0
            // At least one: a device begins by itself, whatever it says of its buffer.
            && (functions.sw_start)(pcm.as_ptr(), parameters, ahead.max(1) as c_ulong) >= 0
            && (functions.sw_silence_threshold)(pcm.as_ptr(), parameters, 0) >= 0
            && (functions.sw_silence_size)(pcm.as_ptr(), parameters, boundary) >= 0
        {
            (functions.sw_set)(pcm.as_ptr(), parameters);
        }
        (functions.sw_free)(parameters);
    }
}

/// Frames that the device's buffer holds.
fn buffer(functions: &Functions, pcm: Pcm) -> usize {
    let (mut buffer, mut period) = (0, 0);
    // SAFETY: the handle is open, and both numbers are there to be written.
    #[allow(unsafe_code)]
    let code = unsafe { (functions.get_params)(pcm.as_ptr(), &raw mut buffer, &raw mut period) };
    if code < 0 {
        return 0;
    }
    usize::try_from(buffer).unwrap_or(0)
}

/// Frames of [`AHEAD`].
fn ahead(rate: u32) -> usize {
    usize::try_from(u128::from(rate) * AHEAD.as_millis() / 1000).unwrap_or(0)
}

fn error(device: &str, functions: &Functions, action: &'static str, code: c_int) -> AlsaError {
    // SAFETY: alsa-lib answers with a text that it keeps, for any number.
    #[allow(unsafe_code)]
    let problem = unsafe {
        let text = (functions.strerror)(code);
        if text.is_null() {
            format!("error {code}")
        } else {
            CStr::from_ptr(text).to_string_lossy().into_owned()
        }
    };
    AlsaError::Device {
        device: device.to_owned(),
        action,
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_not_there_is_named_and_tried_again() {
        let mut alsa = Alsa::new("plughw:CARD=nobody", 48_000);
        for _ in 0..3 {
            match alsa.open() {
                Err(AlsaError::NoLibrary(_)) => return, // nothing more to see here
                Err(AlsaError::Device { device, .. }) => assert_eq!(device, "plughw:CARD=nobody"),
                Ok(()) => panic!("there is no such device"),
            }
            assert!(alsa.check().is_err());
            assert!(alsa.write(&[0; 10]).is_err());
        }
        assert_eq!(alsa.drain(), Ok(()), "nothing was under way");
    }
}
