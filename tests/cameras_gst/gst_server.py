"""A camera served by GStreamer, which is not ours: run by the system's Python, which has its bindings.

`python3 gst_server.py PORT` serves `/ball`, and `/private` to the user `me` with the password `s3cret` (digest); it
says which port it has (0: any), then runs until it is killed.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

BALL = (
    "( videotestsrc is-live=true pattern=ball motion=sweep ! video/x-raw,width=160,height=120,framerate=50/1 "
    "! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! rtph264pay name=pay0 pt=96 )"
)


def main() -> None:
    Gst.init(None)
    server = GstRtspServer.RTSPServer(address="127.0.0.1", service=sys.argv[1])
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    for user, password in [("me", "s3cret"), (None, None)]:
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", user or "anybody")
        if user:
            auth.add_digest(user, password, token)
        else:
            auth.set_default_token(token)
    server.set_auth(auth)
    for path, is_open in [("/ball", True), ("/private", False)]:
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(BALL)
        factory.set_shared(True)
        for role, may in [("me", True), ("anybody", is_open)]:
            rights = Gst.Structure.new_empty(role)
            rights.set_value("media.factory.access", True)  # without it, nothing is there
            rights.set_value("media.factory.construct", may)  # without it, a password is wanted
            factory.add_role_from_structure(rights)
        server.get_mount_points().add_factory(path, factory)
    server.attach(None)
    sys.stdout.write(f"{server.get_bound_port()}\n")
    sys.stdout.flush()
    GLib.MainLoop().run()


main()
