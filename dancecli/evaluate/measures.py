"""Every metric's name, unit and direction, in the order of reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One metric. name: in `metrics.json`. better: "higher", "lower" or "one" (nearer to 1)."""

    name: str
    title: str
    unit: str
    better: str
    about: str

    @property
    def arrow(self) -> str:
        """For table heads."""
        return {"higher": "↑", "lower": "↓", "one": "→1"}[self.better]

    def loss(self, value: float) -> float:
        """Smaller is better, whatever the direction."""
        return {"higher": -value, "lower": value, "one": abs(value - 1)}[self.better]


MEASURES = {
    each.name: each
    for each in (
        Measure("ssim", "SSIM", "1", "higher", "7x7 uniform window, mean of R, G, B"),
        Measure("one_minus_ssim", "1-SSIM", "1", "lower", "1 - ssim"),
        Measure("dssim_rgb", "DSSIM RGB", "1", "lower", "(1 - SSIM)/2 of RGB, 0 to 1"),
        Measure(
            "dssim_lab", "DSSIM Lab", "1", "lower",
            "(1 - SSIM)/2 of CIE Lab with range 100, what the LPIPS repository calls SSIM and "
            "most likely the paper's column",
        ),
        Measure("psnr", "PSNR", "dB", "higher", "of RGB, over the whole crop"),
        Measure("l1_mask", "L1 in mask", "1", "lower", "mean |difference|/255 where the real "
                "person is"),
        Measure("l1_union", "L1 in union", "1", "lower", "the same where either person is"),
        Measure("head_l1", "head L1", "1", "lower", "the same where the real head is (hat, hair, "
                "face, sunglasses)"),
        Measure("sharpness", "sharpness", "1", "one", "mean gradient of the grey picture where the "
                "real person is, over the real one's; blur lowers it"),
        Measure("lpips_vgg", "LPIPS VGG", "1", "lower", "v0.1, VGG-16"),
        Measure("lpips_squeeze", "LPIPS SqueezeNet", "1", "lower", "v0.1, SqueezeNet 1.1"),
        Measure("fid", "FID", "1", "lower", "Inception pool3, all frames of all videos together, "
                "no mean of clips"),
        Measure("ssbs", "SSBS", "IoU", "higher", "silhouettes of the human parser"),
        Measure("ssis_all", "SSIS all", "IoU", "higher", "labels 1-19, mean over all of them, a "
                "label absent from both counts 0 (comparable with the paper's)"),
        Measure("ssis_present", "SSIS present", "IoU", "higher", "labels 1-19 that either shows"),
        Measure("dpbs", "DPBS", "IoU", "higher", "silhouettes of the dense map"),
        Measure("dpis_all", "DPIS all", "IoU", "higher", "parts 1-24, absent ones count 0"),
        Measure("dpis_present", "DPIS present", "IoU", "higher", "parts 1-24 that either shows"),
        Measure("pck_05", "PCK 5%", "share", "higher", "joints seen in the real frame that the "
                "fake shows within 5% of the person's height"),
        Measure("pck_10", "PCK 10%", "share", "higher", "the same within 10%"),
        Measure("oks", "OKS", "1", "higher", "COCO's object keypoint similarity, 17 points"),
        Measure("silhouette", "silhouette", "IoU", "higher", "person masks of the mask plugin"),
        Measure("limb_lengths", "limb lengths", "height", "lower", "mean difference of limb and "
                "trunk lengths, in heights of the real person"),
        Measure("limb_widths", "limb widths", "height", "lower", "the same of the silhouette's "
                "widths across free limbs"),
        Measure("colours", "colours", "Lab", "lower", "distance of the labels' mean colours, CIE "
                "1976; 100 where the fake shows none of the labels"),
        Measure("flicker", "flicker", "1", "lower", "change between neighbouring frames beyond the "
                "real video's, where either person is: mean max(0, |dF| - |dR|)/255"),
        Measure("change_error", "change error", "1", "lower", "mean |dF - dR|/255 there"),
    )
}  # fmt: skip
"""Name -> metric."""

PER_SET = ("fid",)
"""Metrics of all frames together, without a value per frame."""
