//! A camera on the network that answers as it is told.

use super::filmed::Filmed;
use super::filming;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

type Answer = Arc<dyn Fn(&str, &mut dyn Write) + Send + Sync>;

/// Listens until the tests end.
pub struct NetCamera {
    pub port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    answer: Arc<Mutex<Answer>>,
}

impl NetCamera {
    /// `answer` gets each request and where its answer goes; the line is closed afterwards.
    pub fn start(answer: impl Fn(&str, &mut dyn Write) + Send + Sync + 'static) -> Self {
        Self::start_on(|line| Box::new(line), answer)
    }

    /// As [`start`](Self::start), with what stands between line and HTTP.
    pub fn start_on(
        wrap: impl Fn(TcpStream) -> Box<dyn ReadWrite> + Send + Sync + 'static,
        answer: impl Fn(&str, &mut dyn Write) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let camera = Self {
            port: listener.local_addr().unwrap().port(),
            asked: Arc::default(),
            answer: Arc::new(Mutex::new(Arc::new(answer))),
        };
        let (asked, answer) = (Arc::clone(&camera.asked), Arc::clone(&camera.answer));
        let wrap = Arc::new(wrap);
        std::thread::spawn(move || {
            for line in listener.incoming().map_while(Result::ok) {
                let (asked, answer) = (Arc::clone(&asked), answer.lock().unwrap().clone());
                let wrap = Arc::clone(&wrap);
                std::thread::spawn(move || {
                    let mut line = wrap(line);
                    let mut request = Vec::new();
                    let mut byte = [0];
                    while !request.ends_with(b"\r\n\r\n")
                        && line.read(&mut byte).is_ok_and(|n| n == 1)
                    {
                        request.push(byte[0]);
                    }
                    let request = String::from_utf8_lossy(&request).into_owned();
                    asked.lock().unwrap().push(request.clone());
                    answer(&request, &mut line);
                    let _ = line.flush();
                });
            }
        });
        camera
    }

    /// Answers otherwise from now on.
    pub fn answers(&self, answer: impl Fn(&str, &mut dyn Write) + Send + Sync + 'static) {
        *self.answer.lock().unwrap() = Arc::new(answer);
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Both at once.
pub trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

/// A picture with all that belongs to it.
pub fn picture(jpeg: &[u8]) -> Vec<u8> {
    let len = jpeg.len();
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {len}\r\n\r\n");
    [head.as_bytes(), jpeg].concat()
}

/// A picture that is known by its width.
pub fn jpeg(width: u16) -> Vec<u8> {
    let mut jpeg = Vec::new();
    let rgb = vec![90; usize::from(width) * 32 * 3];
    jpeg_encoder::Encoder::new(&mut jpeg, 80)
        .encode(&rgb, width, 32, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    jpeg
}

/// A camera that sends these pictures in turn.
pub fn films(pictures: &[&Filmed]) -> NetCamera {
    let camera = NetCamera::start(|_, _| {});
    shows(&camera, pictures);
    camera
}

/// From now on it sends these pictures in turn.
pub fn shows(camera: &NetCamera, pictures: &[&Filmed]) {
    let answers: Vec<Vec<u8>> = pictures
        .iter()
        .map(|f| picture(&filming::jpeg(f)))
        .collect();
    let turn = AtomicUsize::new(0);
    camera.answers(move |_, to| {
        let n = turn.fetch_add(1, Ordering::SeqCst);
        let _ = to.write_all(&answers[n % answers.len()]);
    });
}
