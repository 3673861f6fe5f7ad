-- grain: one row per indicator and record that counted against a community, or
--   for it (a bonus)
-- rule: every point lost opens to its records: where and when, the file and row
--   it was read from, what counted (against), with what weight or figures, and
--   the points where one record has a price of its own (deduct, line_deduct,
--   bonus; the row's floor and the caps may take less in sum). For the taskforce
-- build: month
with lost as (
    select
        kind, lower(indicator) as indicator, source, record, file, sheet, row_no,
        grid_id, site, day, due_day, against, weight,
        null::decimal(18, 2) as numerator, null::decimal(18, 2) as denominator,
        null::bigint as points, null::bigint as cap, null::text as reason,
        null::text as evidence
    from bulletin.counted_record
    where month = $month
        and is_against
    union all
    select
        'event', indicator, source, record, file, sheet, row_no,
        grid_id, site, day, null, against, weight,
        null, null, points, cap, reason, evidence
    from bulletin.lost_event
    where month = $month
    union all
    select
        'return', indicator, source, record, file, sheet, row_no,
        grid_id, null, day, null, against, null,
        numerator, denominator, points, null, null, null
    from bulletin.lost_return
    where month = $month
    union all
    select
        'plan', indicator, source, record, file, sheet, row_no,
        grid_id, null, day, null, against, null,
        numerator, denominator, null, null, null, null
    from bulletin.lost_plan
    where month = $month
)

select
    $month as month,
    row_number() over (
        order by
            unit.community_id, rubric.position, lost.grid_id, lost.day,
            lost.source, lost.record
    ) as position,
    unit.community_id,
    community.name as community,
    area.name as area,
    lost.grid_id,
    rubric.line,
    upper(lost.indicator) as indicator,
    rubric.name as indicator_name,
    lost.kind,
    lost.source,
    lost.record,
    lost.file,
    lost.sheet,
    lost.row_no,
    lost.day,
    lost.due_day,
    lost.site,
    lost.against,
    lost.weight,
    lost.numerator,
    lost.denominator,
    (lost.points * 0.000001)::decimal(9, 2) as points,
    (lost.cap * 0.000001)::decimal(9, 2) as cap,
    lost.reason,
    lost.evidence
from lost
inner join core.month_unit as unit
    on lost.grid_id = unit.grid_id
    and unit.month = $month
inner join seed.rubric as rubric
    on lost.indicator = rubric.indicator
    and rubric.valid_from <= $month
    and (rubric.valid_to is null or rubric.valid_to >= $month)
left join core.month_unit as community
    on unit.community_id = community.grid_id
    and community.month = $month
left join core.month_unit as area
    on unit.area_id = area.grid_id
    and area.month = $month
order by position
