"""The renderer of synthetic people: what it sees, what it says is true, how it lights."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

numba = pytest.importorskip("numba")

from dance_synth.backdrop import Screen  # noqa: E402
from dance_synth.camera import framed, project, rays, seen_from  # noqa: E402
from dance_synth.compiled import compiled  # noqa: E402
from dance_synth.effects import Effects, developed, effects, exposed  # noqa: E402
from dance_synth.light import Light, harmonics, lamp_light  # noqa: E402
from dance_synth.meshes import mesh_from  # noqa: E402
from dance_synth.parts import Camera, Material  # noqa: E402
from dance_synth.props import built  # noqa: E402
from dance_synth.raster import Samples, draw, projected  # noqa: E402
from dance_synth.render import body_mask, cast, render  # noqa: E402
from dance_synth.room import room  # noqa: E402
from synth_figures import block_person, moved, turned_away  # noqa: E402

from dancecli.labels import Label  # noqa: E402
from dancecli.types import JOINT  # noqa: E402

FRONT = Camera((0.0, 1.0, 4.0), 0.0, 0.0, 260.0, 256, 192)
"""Before the block person, who is then about 115 pixels high."""

BLOCK = np.full((8, 8, 4), (60, 140, 60, 255), np.uint8)


def even_light(sun: float = 0.0, direction: tuple[float, float, float] = (0.0, 1.0, 0.0)) -> Light:
    """The same from everywhere, and a sun."""
    sky = np.zeros((3, 9), np.float32)
    sky[:, 0] = 0.5 * math.sqrt(4 * math.pi)
    return Light(sky, np.float32(direction), np.full(3, sun, np.float32))


def grey(light: Light | None = None) -> Screen:
    return Screen(np.full((32, 24, 3), 0.4, np.float32), light or even_light())


def flat(triangles: np.ndarray, points: int) -> object:
    return mesh_from(
        triangles.astype(np.int32), np.arange(points, dtype=np.int32),
        np.zeros((points, 2), np.float32), np.zeros(len(triangles), np.int32),
        (Material(BLOCK, "cloth"),), np.zeros(len(triangles), np.uint8), 0,
    )  # fmt: skip


def drawn(vertices: np.ndarray, triangles: np.ndarray, camera: Camera, grid: int = 1) -> Samples:
    samples = Samples.empty(camera.height * grid, camera.width * grid)
    local = projected(camera, vertices.astype(np.float32), grid)
    draw(samples, local, flat(triangles, len(vertices)), grid)
    return samples


cameras = st.builds(
    Camera,
    st.tuples(*(st.floats(-2, 2) for _ in range(3))),
    st.floats(-3, 3), st.floats(-1.2, 1.2), st.floats(80, 600), st.just(64), st.just(48),
)  # fmt: skip


class TestCamera:
    @given(cameras, st.floats(0.2, 20))
    def test_points_along_a_pixels_ray_fall_on_its_centre(self, camera: Camera, depth: float):
        ray = rays(camera)[7, 31]
        xy, found = project(camera, np.float32(camera.position)[None] + depth * ray[None])
        np.testing.assert_allclose(xy[0], (31.5, 7.5), atol=0.02)
        assert found[0] == pytest.approx(depth, rel=1e-3)

    def test_right_down_and_away_are_the_cameras_own(self):
        local = seen_from(FRONT, np.float32([[1, 1.0, 4.0], [0, 0.0, 4.0], [0, 1.0, 1.0]]))
        np.testing.assert_allclose(local, [[1, 0, 0], [0, 1, 0], [0, 0, 3]], atol=1e-6)

    def test_pitch_above_zero_looks_down(self):
        low = seen_from(replace(FRONT, pitch=0.3), np.float32([[0, 0, 0]]))
        assert low[0, 1] < seen_from(FRONT, np.float32([[0, 0, 0]]))[0, 1]

    @settings(max_examples=30)
    @given(st.floats(-3, 3), st.floats(-0.2, 0.5), st.floats(0.3, 0.9), st.floats(1.0, 2.4))
    def test_framed_points_fill_what_was_asked(self, yaw, pitch, fill, focal):
        points = block_person()[1].vertices
        camera = framed(points, Camera((0, 0, 0), yaw, pitch, focal * 256, 256, 192), fill)
        xy, depth = project(camera, points)
        size = max(np.ptp(xy[:, 1]) / 256, np.ptp(xy[:, 0]) / 192)
        assert depth.min() > 0
        assert size == pytest.approx(fill, rel=0.03) or camera.position[1] == pytest.approx(0.15)


class TestRaster:
    def test_the_nearer_of_two_crossing_squares_is_seen_on_each_side(self):
        square = np.float32([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)])
        slope = square + np.float32([(0, 0, 0.5), (0, 0, -0.5), (0, 0, -0.5), (0, 0, 0.5)])
        camera = Camera((0, 0, 3), 0, 0, 100, 64, 64)
        faces = np.array([(0, 1, 2), (0, 2, 3)])
        seen = drawn(np.concatenate([square, slope]), np.concatenate([faces, faces + 4]), camera)
        assert (seen.triangle[32, 8:30] >= 2).all()
        assert (seen.triangle[32, 34:56] < 2).all()

    @settings(max_examples=25)
    @given(st.integers(0, 2**31), st.floats(-0.6, 0.6))
    def test_a_surface_cut_into_triangles_has_no_holes_and_is_at_its_depth(self, seed, tilt):
        rng = np.random.default_rng(seed)
        side = 9
        x, y = np.meshgrid(np.linspace(-2, 2, side), np.linspace(-2, 2, side))
        x[1:-1, 1:-1] += rng.uniform(-0.2, 0.2, (side - 2, side - 2))
        y[1:-1, 1:-1] += rng.uniform(-0.2, 0.2, (side - 2, side - 2))
        points = np.stack([x, y, tilt * x], 2).reshape(-1, 3)
        k = np.arange(side * side).reshape(side, side)
        a, b, c, d = k[:-1, :-1].ravel(), k[:-1, 1:].ravel(), k[1:, 1:].ravel(), k[1:, :-1].ravel()
        faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
        camera = Camera((0, 0, 3), 0, 0, 120, 64, 64)
        seen = drawn(points, faces, camera, 2)
        assert (seen.triangle >= 0).all()
        ray = (np.arange(128) + 0.5 - 64) / 240
        np.testing.assert_allclose(seen.depth[60], 3 / (1 + tilt * ray), rtol=1e-4)

    def test_a_floor_that_passes_under_the_eye_fills_all_below_the_horizon(self):
        floor = np.float32([(-500, 0, -500), (500, 0, -500), (500, 0, 500), (-500, 0, 500)])
        camera = Camera((0, 1, 0), 0.3, 0, 100, 64, 64)
        seen = drawn(floor, np.array([(0, 1, 2), (0, 2, 3)]), camera)
        assert (seen.triangle[34:] >= 0).all()
        assert (seen.triangle[:32] < 0).all()

    def test_what_is_behind_the_camera_is_not_seen(self):
        wall = np.float32([(-1, -1, 5), (1, -1, 5), (0, 1, 5)])
        seen = drawn(wall, np.array([(0, 1, 2)]), Camera((0, 0, 0), 0, 0, 100, 32, 32))
        assert (seen.triangle < 0).all()

    def test_two_half_transparent_sheets_cover_three_quarters(self):
        human, pose = block_person("hair", alpha=128)
        whole = block_person("hair")[0]
        area = [int(_covered(each, pose).sum()) for each in (human, whole)]
        assert area[0] / area[1] == pytest.approx(0.75, abs=0.02)  # its front and its back


def _covered(human, pose):
    scene = cast([human])
    samples = Samples.empty(FRONT.height * 2, FRONT.width * 2)
    draw(samples, projected(FRONT, pose.vertices, 2), scene.mesh, 2)
    return samples.triangle >= 0


class TestTruth:
    def test_left_is_the_persons_left_from_the_front_and_from_behind(self):
        human, pose = block_person()
        front = render(cast([human]), [pose], FRONT, grey())
        back = render(cast([human]), [turned_away(pose)], FRONT, grey())
        for seen, sign in ((front, 1), (back, -1)):
            columns = [np.nonzero(seen.labels == each)[1].mean() for each in
                       (Label.LEFT_ARM, Label.RIGHT_ARM)]  # fmt: skip
            assert sign * (columns[0] - columns[1]) > 40
            wrists = [seen.skeleton.joint(f"{side}_wrist")[0] for side in ("left", "right")]
            assert sign * (wrists[0] - wrists[1]) > 60
            assert sign * float(np.diff(seen.skeleton.world[[JOINT["right_wrist"],
                                        JOINT["left_wrist"]], 0])) > 1.2  # fmt: skip

    def test_keypoints_lie_on_the_labels_of_their_limbs(self):
        human, pose = block_person()
        seen = render(cast([human]), [pose], FRONT, grey())
        for joint, label in (("left_elbow", Label.LEFT_ARM), ("right_knee", Label.RIGHT_LEG),
                             ("nose", Label.FACE), ("mid_hip", Label.UPPER_CLOTHES)):  # fmt: skip
            x, y = seen.skeleton.joint(joint)
            assert seen.labels[int(y), int(x)] == label
        assert (seen.skeleton.body[[JOINT["nose"], JOINT["left_wrist"]], 2] == 1).all()

    def test_the_face_is_hidden_from_behind_and_a_wrist_outside_is_not_known(self):
        human, pose = block_person()
        back = render(cast([human]), [turned_away(pose)], FRONT, grey()).skeleton
        assert (back.face[:, 2] == 0.5).all()
        assert back.body[JOINT["nose"], 2] == 0.5
        near = render(cast([human]), [pose], replace(FRONT, focal=900.0), grey()).skeleton
        assert (near.body[JOINT["left_wrist"]] == 0).all()

    def test_a_thing_before_the_legs_hides_them_and_stays_in_the_plate(self):
        human, pose = block_person()
        box = built([((0, 0, 0), (0.8, 0.6, 0.1))], BLOCK, 0, 0.5, 0)
        seen = render(cast([human], [box]), [pose], FRONT, grey())
        alone = render(cast([human]), [pose], FRONT, grey())
        assert seen.skeleton.body[JOINT["left_knee"], 2] == 0.5
        assert seen.skeleton.body[JOINT["nose"], 2] == 1
        assert seen.mask.sum() < alone.mask.sum()
        x, y = (int(v) for v in seen.skeleton.joint("left_knee"))
        assert not seen.mask[y, x]
        assert not seen.people[y, x]
        np.testing.assert_array_equal(seen.plate[y, x], seen.rgb[y, x])
        assert int(seen.plate[y, x, 1]) > int(seen.plate[y, x, 0]) + 20  # the green box

    def test_another_person_is_among_people_and_not_in_mask_or_labels(self):
        human, pose = block_person()
        other = moved(pose, 0.2, 0.0, 0.8)
        seen = render(cast([human, human]), [pose, other], FRONT, grey())
        assert (seen.people & ~seen.mask).sum() > 500
        assert not (seen.mask & ~seen.people).any()
        assert ((seen.labels > 0) == seen.mask).all()
        assert seen.skeleton.body[JOINT["left_hip"], 2] == 0.5

    @settings(max_examples=12, deadline=None)
    @given(st.floats(-3, 3), st.floats(-0.3, 0.6))
    def test_dense_map_covers_the_undressed_body(self, yaw, pitch):
        human, pose = block_person()
        scene = cast([human])
        start = Camera((0, 0, 0), yaw, pitch, 400, 256, 192)
        camera = framed(pose.vertices, start, 0.8)
        dense = render(scene, [pose], camera, grey()).iuv
        body, drawn_there = body_mask(scene, pose, camera), dense[..., 0] > 0
        assert (body & drawn_there).sum() / (body | drawn_there).sum() > 0.98
        assert dense[..., 1:].min() >= 0
        assert dense[..., 1:].max() <= 1
        assert set(np.unique(dense[..., 0])) <= {0, 24, 2, 15, 16, 10, 9}

    def test_dense_coordinates_follow_the_perspective(self):
        human, pose = block_person()
        dense = render(cast([human]), [pose], FRONT, grey()).iuv
        row = dense[int(project(FRONT, np.float32([[0, 1.1, 0.125]]))[0][0, 1])]
        torso = np.flatnonzero(row[:, 0] == 2)
        across = row[torso, 1]
        assert (np.diff(across) > 0).all()
        np.testing.assert_allclose(np.diff(across), np.diff(across).mean(), rtol=0.05)


class TestLight:
    def test_an_even_sky_lights_every_side_alike(self):
        normals = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        np.testing.assert_allclose(even_light().ambient(normals), 0.5, rtol=1e-4)

    @given(st.floats(-3, 3), st.integers(0, 1000))
    def test_turning_light_and_surface_together_changes_nothing(self, angle, seed):
        light = lamp_light(np.random.default_rng(seed))
        normals = np.float32([(0, 0, 1), (0.6, 0.8, 0), (0, -1, 0)])
        turned = normals @ np.float32(
            [
                (math.cos(angle), 0, -math.sin(angle)),
                (0, 1, 0),
                (math.sin(angle), 0, math.cos(angle)),
            ]
        )
        np.testing.assert_allclose(light.turned(angle).full(turned), light.full(normals), atol=2e-3)

    def test_harmonics_are_orthonormal(self):
        k = np.arange(20000) + 0.5
        y, turn = 1 - 2 * k / 20000, k * math.pi * (3 - math.sqrt(5))
        ring = np.sqrt(1 - y**2)
        values = harmonics(np.stack([ring * np.cos(turn), y, ring * np.sin(turn)], 1))
        gram = values.T.astype(float) @ values * 4 * math.pi / 20000
        np.testing.assert_allclose(gram, np.eye(9), atol=0.01)

    def test_the_sun_casts_a_shadow_that_the_plate_does_not_have(self):
        human, pose = block_person()
        light = even_light(2.0, (-0.6, 0.6, 0.53))  # from the picture's left and behind the camera
        camera = Camera((0.0, 2.2, 4.0), 0.0, 0.35, 260.0, 256, 192)
        seen = render(cast([human]), [pose], camera, grey(light))
        darker = (seen.plate.astype(int) - seen.rgb).mean(2) > 25
        shadow = darker & ~seen.people
        assert shadow.sum() > 300
        assert np.nonzero(shadow)[1].mean() > np.nonzero(seen.mask)[1].mean() + 5
        assert (seen.plate == seen.plate[0, 0]).all()

    def test_the_side_that_faces_the_sun_is_brighter(self):
        human, pose = block_person("skin")
        left, right = (
            render(cast([human]), [pose], FRONT, grey(even_light(1.5, (x, 0.3, 0.3)))).rgb
            for x in (0.9, -0.9)
        )
        arm = slice(95, 105)  # of the person's left leg, the box's side face is out of view
        assert left[arm].mean() == pytest.approx(right[arm].mean(), rel=0.1)
        profile = replace(FRONT, position=(4.0, 1.0, 0.0), yaw=-math.pi / 2)
        lit, dark = (
            render(cast([human]), [pose], profile, grey(even_light(1.5, (x, 0.3, 0.3))))
            for x in (0.9, -0.9)
        )
        assert lit.rgb[lit.mask].mean() > 1.3 * dark.rgb[dark.mask].mean()

    def test_picture_and_plate_agree_away_from_people(self):
        human, pose = block_person()
        camera = Camera((0.0, 1.5, 4.0), 0.2, 0.1, 200.0, 256, 192)
        habits = replace(effects(np.random.default_rng(5)), jpeg=0, shot=0.0, read=0.0)
        seen = render(cast([human]), [pose], camera, room(np.random.default_rng(1)), habits)
        top = slice(0, 40)
        assert not seen.people[top].any()
        np.testing.assert_array_equal(seen.rgb[top], seen.plate[top])


class TestEffects:
    def test_exposure_brightens_and_never_clips_to_a_flat_white(self):
        light = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8, 1).repeat(3, 2)
        twice = exposed(light, Effects(gain=(2, 2, 2)))
        assert (np.diff(twice.reshape(-1, 3)[:, 0]) > 0).all()
        assert twice.max() <= 1

    def test_noise_and_jpeg_are_repeated_to_the_bit_and_left_out_without_rng(self):
        light = np.full((16, 16, 3), 0.3, np.float32)
        habits = Effects(shot=0.05, read=0.01, jpeg=80)
        one, two = (developed(light, habits, np.random.default_rng(3)) for _ in range(2))
        np.testing.assert_array_equal(one, two)
        assert one.std() > 0.5
        assert developed(light, habits, None).std() == 0

    def test_grey_is_encoded_as_srgb(self):
        light = np.full((4, 4, 3), 0.2140, np.float32)
        assert (developed(light, Effects(), None) == 127).all()


def test_a_picture_is_the_same_every_time():
    human, pose = block_person("skin")
    scene, habits = cast([human]), effects(np.random.default_rng(2))
    place = room(np.random.default_rng(4))
    one, two = (
        render(scene, [pose], FRONT, place, habits, np.random.default_rng(9)) for _ in range(2)
    )
    for name in ("rgb", "plate", "labels", "iuv", "mask", "people"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_a_scene_without_people_is_refused():
    with pytest.raises(ValueError, match="one person"):
        cast([])


def test_a_function_whose_result_cannot_be_kept_is_compiled_all_the_same():
    scope: dict[str, object] = {}
    exec("def twice(x):\n    return 2 * x", scope)  # of no file, so that numba finds no place
    assert compiled(scope["twice"])(21) == 42
