-- title: 各社区近十二个月名次与总分
-- title-hant: 各社區近十二個月名次與總分
-- title-en: Places and totals of every community in the last twelve months
select
    community.month,
    community.name,
    community.total,
    community.place,
    community.total_change
from bulletin.community as community
where community.month > $month - interval 12 month
    and community.month <= $month
order by community.name, community.month
