"""A detector's answers against the truth: matching, average precision, operating point, reports.

In all of these modules ``truths`` and ``found`` hold one a photo, in the same order, and a ``ValueError`` says where
they do not; ``conf`` is a confidence threshold, what lies at it left out; ``iou`` the least overlap, of a box with a
face or in NMS; ``resamples`` are draws behind each interval and ``seed`` is where they start. Overlaps and average
precision need faster-coco-eval, pictures need matplotlib: without them ``MissingExtraError``.
"""
