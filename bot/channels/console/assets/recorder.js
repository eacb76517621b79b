// The microphone.  Times are milliseconds.

const KINDS = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];

export function whyNot() {
  if (!navigator.mediaDevices?.getUserMedia) return "这个地址下浏览器不让录音：请用 127.0.0.1 或 https 打开。";
  if (!window.MediaRecorder) return "这个浏览器不能录音，请选一个录音文件发送。";
  return "";
}

export class Recording {
  /** Asks for the microphone; throws an Error with words for people. */
  static async start() {
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch (error) {
      throw new Error(
        error.name === "NotFoundError" ? "没有找到麦克风。" : "没有麦克风权限：请在地址栏左边允许麦克风，再点一次。",
      );
    }
    return new Recording(stream);
  }

  constructor(stream) {
    const kind = KINDS.find((one) => MediaRecorder.isTypeSupported(one)) ?? "";
    this.stream = stream;
    this.pieces = [];
    this.recorder = new MediaRecorder(stream, kind ? { mimeType: kind } : {});
    this.recorder.ondataavailable = (event) => this.pieces.push(event.data);
    this.began = performance.now();
    this.recorder.start(1000);
  }

  get length() {
    return performance.now() - this.began;
  }

  /** The recording as a Blob. */
  stop() {
    return new Promise((resolve) => {
      this.recorder.onstop = () => {
        this.release();
        resolve(new Blob(this.pieces, { type: this.recorder.mimeType }));
      };
      this.recorder.stop();
    });
  }

  cancel() {
    this.recorder.ondataavailable = null;
    if (this.recorder.state !== "inactive") this.recorder.stop();
    this.release();
  }

  release() {
    for (const track of this.stream.getTracks()) track.stop();
  }

  get suffix() {
    return { "audio/webm": "webm", "audio/ogg": "ogg", "audio/mp4": "m4a" }[this.recorder.mimeType.split(";")[0]] ?? "webm";
  }
}
